#!/bin/sh
# Databases made and copied by every way in which root becomes their user; then all that there is, as programs see it.
set -e
bin=/usr/lib/postgresql/15/bin
init="$bin/initdb --auth=trust --no-sync --no-instructions --wal-segsize=1"
mkdir /srv/db
cd /srv/db
install -d -o postgres -g postgres -m 700 su setpriv runuser chroot /srv/by-user
su postgres -c "$init -D /srv/db/su"
setpriv --reuid=postgres --regid=postgres --init-groups $init --allow-group-access -D /srv/db/setpriv
runuser -u postgres -- $init -D /srv/db/runuser
chroot --userspec=postgres:postgres / $init -D /srv/db/chroot
echo 'create table kept (word text); insert into kept values (1);' |
  su postgres -c "$bin/postgres --single -F -D /srv/db/su postgres" >/dev/null
# A folder that others may look into is refused: the server asks stat.
chmod 755 runuser
! su postgres -c "$bin/postgres --single -F -D /srv/db/runuser postgres" </dev/null 2>log
sed 's/^.*\] //' log >refused
rm log
chmod 700 runuser
# It refuses to run as root as well.
! $init -D /srv/db/root 2>root-refused

mariadb-install-db --user=mysql --datadir=/srv/db/mysql --skip-test-db >/dev/null
cp -a /var/lib/mysql mysql-copied
mkdir mysql-untarred
tar -C /var/lib/mysql -cf - . | tar -C mysql-untarred --same-owner -xpf -
# Their logs are a hundred megabytes each.
rm mysql/ib_logfile0 mysql-copied/ib_logfile0 mysql-untarred/ib_logfile0

groupadd caches
usermod --append --groups caches redis
install -d -o redis -g caches -m 2770 caches
su redis -s /bin/sh -c 'umask 007; mkdir caches/below; echo x >caches/below/file; cp /etc/redis/redis.conf caches/'
(umask 027; runuser -u rabbitmq -- sh -c 'echo x >/var/lib/rabbitmq/own; mkdir /var/lib/rabbitmq/own.d')
install -o redis -g caches -m 640 /etc/redis/redis.conf caches/installed
cp -a /var/lib/rabbitmq rabbitmq-copied
chown --reference=caches rabbitmq-copied
find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /opt -o -path /packages -o -path /tmp \) -prune -o \
  -printf '%p %y %m %U:%G %u:%g\n' | sort >/srv/found
