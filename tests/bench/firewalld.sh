# An equal policy in firewalld: a zone a port, everything else dropped, and the same services. A bus of its own.
mount -t tmpfs tmpfs /run
mkdir /run/dbus /run/firewalld-etc
cp -a /etc/firewalld/. /run/firewalld-etc
mount --bind /run/firewalld-etc /etc/firewalld
ip link set lo up
cat >/run/bus.conf <<BUS
<busconfig><type>system</type><listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/><allow user="*"/>
</policy></busconfig>
BUS
read -r _ < <(dbus-daemon --config-file=/run/bus.conf --nofork --nopidfile --print-address 2>/dev/null)
firewalld --nofork --nopid --log-target=console >/run/firewalld.log 2>&1 &
until firewall-cmd --state >/dev/null 2>&1; do :; done
cmd() { firewall-cmd -q --permanent "$@"; }
for zone in line term own; do
  cmd --new-zone=$zone
  cmd --zone=$zone --set-target=DROP
done
cmd --zone=line --add-interface=wan0
cmd --zone=term --add-interface=term0
cmd --zone=own --add-interface=lan0
for port in 80 443 445; do
  cmd --zone=own --add-rich-rule="rule family=ipv4 source address=198.51.100.0/24 destination address=198.51.100.1 port port=$port protocol=tcp accept"
done
for service in "53 udp" "53 tcp" "123 udp" "67 udp"; do
  read -r port protocol <<<"$service"
  cmd --zone=term --add-rich-rule="rule family=ipv4 source address=192.0.2.2 destination address=192.0.2.1 port port=$port protocol=$protocol accept"
done
cmd --new-policy=out
cmd --policy=out --set-target=DROP
cmd --policy=out --add-ingress-zone=term
cmd --policy=out --add-egress-zone=line
for to in "2001:db8:0:53::/64 53 tcp" "2001:db8:0:53::/64 53 udp" "2001:db8:0:cc::/64 80 tcp" "2001:db8:0:cc::/64 443 tcp" \
  "2001:db8:0:cc::/64 8080 tcp" "2001:db8:0:cc::/64 123 udp"; do
  read -r prefix port protocol <<<"$to"
  cmd --policy=out --add-rich-rule="rule family=ipv6 destination address=$prefix port port=$port protocol=$protocol accept"
done
cmd --new-policy=box
cmd --policy=box --set-target=DROP
cmd --policy=box --add-ingress-zone=HOST
cmd --policy=box --add-egress-zone=ANY
for to in "2001:db8::/32 443 tcp" "2001:db8::/32 80 tcp" "2001:db8::/32 123 udp" "2001:db8:0:53::/64 53 udp"; do
  read -r prefix port protocol <<<"$to"
  cmd --policy=box --add-rich-rule="rule family=ipv6 destination address=$prefix port port=$port protocol=$protocol accept"
done
cmd --policy=box --add-rich-rule="rule family=ipv4 destination address=192.0.2.2 port port=445 protocol=tcp accept"
firewall-cmd -q --reload
echo ready
while read -r _; do
  firewall-cmd -q --reload
  echo done
done
