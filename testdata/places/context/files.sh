#!/bin/sh
# Owners, modes and kinds of files as root makes them, and as programs then see them.
set -e
mkdir /srv/files
cd /srv/files
install -d -o joe -g shared -m 2775 setgid
touch setgid/by-root
mkdir setgid/below
su joe -c 'touch setgid/by-joe; mkdir setgid/by-joe.d'
install -o www-data -g mail -m 4750 /bin/true setuid
cp -a setgid setuid copied 2>/dev/null || mkdir copied && cp -a setgid setuid copied
tar -cpf tar.tar --numeric-owner setgid setuid
mkdir untarred
tar -xpf tar.tar -C untarred
rm tar.tar
ln setuid setuid-hard
ln -s setuid link
chown -h 33:8 link
cp -a link copied/link
install -m 4755 /bin/true cleared
chown joe cleared
install -m 4755 /bin/true kept
chown joe kept
chmod 4755 kept
mkfifo fifo
chmod 620 fifo
chown joe:shared fifo
cp /usr/bin/ping capable
setcap cap_net_raw+ep capable
setfattr -n user.note -v text kept 2>/dev/null || true
perl -e 'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); bind($s, sockaddr_un("socket"))'
chown joe /etc/issue
chgrp shared /etc/issue.net
chmod 600 /etc/debian_version
rm /etc/motd 2>/dev/null || rm /etc/networks
rm -r /usr/share/man/man7
mkdir /usr/share/man/man7
chown man:man /usr/share/man/man7
mv /etc/host.conf /etc/host.conf.moved
mkdir sticky
chown worker:worker sticky
chmod 3777 sticky
find . -user joe -o -group shared | sort >found-joe
find . \( -nouser -o -nogroup \) | sort >found-none
stat -c '%n %F %a %u:%g %U:%G %t:%T' * setgid/* untarred/*/* | sort >/srv/stat
test -O fifo || echo "fifo is not root's" >test
getcap capable >getcap
ls -ln --time-style=+ /srv/people | sed 's/^\(total\).*/\1/' >ls

# Not every place can make devices, or record them.
mkdir /srv/devices
cd /srv/devices
if mknod null c 1 3 2>/dev/null; then
  mknod -m 640 disk b 7 1
  chown root:disk disk
  stat -c '%n %F %a %u:%g %t:%T' * >stat
fi
