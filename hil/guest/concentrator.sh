#!/bin/sh
# The far end of a line by PPPoE: what a small guest of the bench's starts as its first and only program. eth0 is the
# line's end, eth1 leads to the centre; v1 is another device of the clinic's, on the same line. Then it obeys orders.
export PATH=/usr/sbin:/usr/bin:/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir /dev/pts
mount -t devpts pts /dev/pts
mount -t tmpfs run /run
while read -r module; do insmod "$module"; done </modules.list
ip link set lo up
ip link add v0 type veth peer name v1
for port in eth0 v0 v1 eth1; do ip link set "$port" up; done
ip address add 198.18.0.2/30 dev eth1
ip route add default via 198.18.0.1
echo 1 >/proc/sys/net/ipv4/ip_forward
. /answer.sh
