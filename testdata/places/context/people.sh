#!/bin/sh
# Accounts, and every program by which root becomes one of them: who made a file stands in its name.
set -e
groupadd --gid 1500 shared
useradd --create-home --uid 1500 --gid shared --groups mail joe
useradd --system --home-dir /var/lib/worker --create-home worker
usermod --append --groups shared worker
echo 'joe ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/joe
chmod 440 /etc/sudoers.d/joe

mkdir -m 1777 /srv/people
cd /srv/people
su joe -c 'id >su; umask 077; mkdir su-private; echo x >su-private/file'
su - joe -c 'id >/srv/people/su-login'
setpriv --reuid=joe --regid=shared --init-groups sh -c 'id >setpriv; mkfifo setpriv-fifo; ln -s setpriv setpriv-link'
setpriv --reuid=worker --regid=mail --clear-groups sh -c 'id >setpriv-worker'
runuser -u worker -- sh -c 'id >runuser; umask 007; mkdir runuser-private; echo x >runuser-private/file'
# Not every place lets a step change its root.
if chroot / true 2>/dev/null; then
  chroot --userspec=joe:mail --groups=shared,33 / sh -c 'id >/srv/people/chroot; ln /srv/people/chroot /srv/people/chroot-hard'
fi
perl -e '$) = "1500 1500 8"; $> = 1500; open(my $f, ">", "perl-effective"); $> = 0; $) = "0 0"; open($f, ">", "perl-root");'
# Nor does every one show it processes.
[ ! -e /proc/self ] || start-stop-daemon --start --chuid worker:shared --exec /usr/bin/touch -- /srv/people/start-stop-daemon
(umask 002; su joe -c 'umask; touch plain' >umask-joe; touch umask-root)
su joe -c 'python3 -c "" 2>/dev/null || perl -e "mkdir q(perl-mode), 0770; open(my \$f, q(>), q(perl-mode/x)); chmod 0660, q(perl-mode/x)"'
! su joe -c 'chown root /srv/people/su' 2>/dev/null
id joe >ids
id worker >>ids
