# An equal policy in ufw: everything denied either way, and the same services.
mount -t tmpfs tmpfs /run
mkdir /run/ufw-etc /run/default-etc
cp -a /etc/ufw/. /run/ufw-etc
mount --bind /run/ufw-etc /etc/ufw
cp -a /etc/default/. /run/default-etc
mount --bind /run/default-etc /etc/default
ip link set lo up
rule() { ufw "$@" >/dev/null; }
rule --force enable
for way in incoming routed outgoing; do rule default deny $way; done
for port in 80 443 445; do
  rule allow in on lan0 from 198.51.100.0/24 to 198.51.100.1 port $port proto tcp
done
for service in "53 udp" "53 tcp" "123 udp" "67 udp"; do
  read -r port protocol <<<"$service"
  rule allow in on term0 from 192.0.2.2 to 192.0.2.1 port "$port" proto "$protocol"
done
for to in "2001:db8:0:53::/64 53 tcp" "2001:db8:0:53::/64 53 udp" "2001:db8:0:cc::/64 80 tcp" "2001:db8:0:cc::/64 443 tcp" \
  "2001:db8:0:cc::/64 8080 tcp" "2001:db8:0:cc::/64 123 udp"; do
  read -r prefix port protocol <<<"$to"
  rule route allow in on term0 out on wan0 to "$prefix" port "$port" proto "$protocol"
done
for to in "2001:db8::/32 443 tcp" "2001:db8::/32 80 tcp" "2001:db8::/32 123 udp" "2001:db8:0:53::/64 53 udp"; do
  read -r prefix port protocol <<<"$to"
  rule allow out on wan0 to "$prefix" port "$port" proto "$protocol"
done
rule allow out on term0 to 192.0.2.2 port 445 proto tcp
echo ready
while read -r _; do
  ufw reload >/dev/null
  echo done
done
