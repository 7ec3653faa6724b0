# Calls that a shell cannot make, each case in a folder of its own below /opt/calls and in a process of its own: what they
# answered is told by a link beside it. Whoever runs this, as real root or where one id exists, has to leave the same.
my $arm = `uname -m` =~ /aarch64/;
my %number = (
  openat2 => 437, renameat2 => $arm ? 276 : 316, linkat => $arm ? 37 : 265, openat => $arm ? 56 : 257,
  fchownat => $arm ? 54 : 260, setxattr => $arm ? 5 : 188, getxattr => $arm ? 8 : 191, mknodat => $arm ? 33 : 259,
  io_uring_setup => 425, symlinkat => $arm ? 36 : 266, fchown => $arm ? 55 : 93, mkdirat => $arm ? 34 : 258,
  fchmodat2 => 452, name_to_handle_at => $arm ? 264 : 303,
);
my ($CREAT, $EXCL, $TMPFILE, $RDWR) = (0100, 0200, 020000000 | ($arm ? 040000 : 0200000), 2);
my ($CWD, $FOLLOW, $EMPTY) = (-100, 0x400, 0x1000);
my @told;

# The answer of a call, or the number of its error.
sub told { my ($name, $result) = @_; push @told, "$name=" . ($result == -1 ? 'error ' . ($! + 0) : $result > 2 ? 'ok' : $result); $result }
sub does { my ($name, @args) = @_; told($name, syscall($number{$name}, @args)) }
sub become { my $id = shift; $) = "$id $id"; $( = $id; ($<, $>) = ($id, $id); push @told, "is=$</$>" }
sub says { my $path = shift; my @s = lstat($path); push @told, "$path=$s[4]:$s[5]:" . sprintf('%o', $s[2]) }
sub file { my ($path) = @_; open(my $f, '>', $path) or push @told, "$path=" . ($! + 0); print $f "$path\n"; close $f }
sub how { my ($flags, $mode) = @_; pack('Q3', $flags, $mode, 0) }

my %case = (
  openat2 => sub { become(1000); umask 027; does('openat2', $CWD, "own", how($RDWR | $CREAT, 0666), 24); says('own') },
  'openat2-exclusive' => sub {
    become(1000);
    does('openat2', $CWD, "own", how($RDWR | $CREAT | $EXCL, 0640), 24);
    does('openat2', $CWD, "own", how($RDWR | $CREAT | $EXCL, 0640), 24);
  },
  'openat2-beneath' => sub {
    become(1000);
    does('openat2', $CWD, "../openat2-beneath/own", pack('Q3', $RDWR | $CREAT, 0600, 8), 24);
  },
  'openat2-root' => sub { does('openat2', $CWD, "own", how($RDWR | $CREAT, 0640), 24); does('openat2', $CWD, "own", how(0, 0), 24) },
  'openat2-wrong' => sub { become(1000); does('openat2', $CWD, "own", how($RDWR | $CREAT, 0640), 8); does('openat2', $CWD, 8, how($RDWR | $CREAT, 0640), 24); },
  tmpfile => sub {
    become(1000);
    my $fd = does('openat', $CWD, ".", $TMPFILE | $RDWR, 0640);
    does('linkat', $CWD, "/proc/self/fd/$fd", $CWD, "named", $FOLLOW);
    says('named');
  },
  'tmpfile-given' => sub {
    my $fd = does('openat', $CWD, ".", $TMPFILE | $RDWR, 0600);
    does('fchown', $fd, 33, 44);
    does('linkat', $CWD, "/proc/self/fd/$fd", $CWD, "named", $FOLLOW);
    says('named');
  },
  'socket' => sub {
    become(1000);
    socket(my $s, 1, 1, 0);
    # Whom it belongs to is not recorded: sockets are part of no layer.
    told('bind', bind($s, pack('S a108', 1, 'socket')) ? 0 : -1);
    told('again', bind($s, pack('S a108', 1, 'socket')) ? 0 : -1);
  },
  'rename-over' => sub {
    file($_) for qw(a b);
    chown 33, 44, 'a'; chown 55, 66, 'b';
    rename 'a', 'b'; says('b');
  },
  exchange => sub {
    file($_) for qw(a b); chown 33, 44, 'a'; chown 55, 66, 'b';
    does('renameat2', $CWD, 'a', $CWD, 'b', 2); says('a'); says('b');
    symlink 'a', 'l'; system('chown -h 7:8 l'); does('renameat2', $CWD, 'a', $CWD, 'l', 2); says('a'); says('l');
  },
  link => sub { file('a'); chown 33, 44, 'a'; link 'a', 'b'; unlink 'a'; says('b'); symlink 'x', 'l'; system('chown -h 9:9 l'); link 'l', 'm'; unlink 'l'; says('m') },
  'link-changed' => sub { file('a'); link 'a', 'b'; chown 33, 44, 'b'; says('a') },
  'moved-folder' => sub { mkdir 'd'; file('d/f'); symlink 'x', 'd/l'; system('chown -hR 5:6 d'); rename 'd', 'e'; says('e'); says('e/f'); says('e/l') },
  'lower-folder' => sub { rename '/opt/old/deep', 'deep'; says('deep'); says('deep/c') },
  'lower-file' => sub { rename '/opt/old/b', 'b'; chmod 0604, 'b'; says('b') },
  'lower-link' => sub { rename '/opt/theirs', 'theirs'; says('theirs') },
  'lower-fifo' => sub { rename '/opt/fifo', 'fifo'; says('fifo') },
  'lower-changed' => sub { chmod 0600, '/opt/given'; says('/opt/given'); open(my $f, '>>', '/opt/given-too'); print $f "more\n"; close $f; says('/opt/given-too') },
  'lower-linked' => sub { link '/opt/theirs-too', 'again'; says('again') },
  recreated => sub { file('a'); chown 33, 44, 'a'; unlink 'a'; file('a'); says('a'); symlink 'x', 'l'; system('chown -h 9:9 l'); unlink 'l'; symlink 'x', 'l'; says('l') },
  mode => sub { file('a'); chown 33, 44, 'a'; chmod 06755, 'a'; chown 34, -1, 'a'; says('a'); chmod 02644, 'a'; chown 35, -1, 'a'; says('a') },
  capability => sub {
    file('a');
    my $v = pack('V5', 0x02000001, 0x2000, 0, 0, 0);
    does('setxattr', 'a', 'security.capability', $v, length $v, 0);
    file('b');
    does('setxattr', 'b', 'security.capability', $v, length $v, 0);
    chown 33, 44, 'b';
    my $room = "\0" x 24;
    does('getxattr', 'b', 'security.capability', $room, 24);
  },
  acl => sub {
    file('a');
    my $v = pack('V (vvV)*', 2, 1, 6, 0xffffffff, 4, 4, 0xffffffff, 16, 6, 0xffffffff, 32, 4, 0xffffffff);
    does('setxattr', 'a', 'system.posix_acl_access', $v, length $v, 0);
    chown 33, 44, 'a';
    says('a');
  },
  'acl-inherited' => sub {
    mkdir 'd';
    my $v = pack('V (vvV)*', 2, 1, 7, 0xffffffff, 4, 7, 0xffffffff, 16, 7, 0xffffffff, 32, 5, 0xffffffff);
    does('setxattr', 'd', 'system.posix_acl_default', $v, length $v, 0);
    chmod 0777, 'd';
    become(1000); umask 077;
    file('d/f'); mkdir 'd/g'; says('d/f'); says('d/g');
  },
  ring => sub { does('io_uring_setup', 1, "\0" x 120) },
  handle => sub { does('name_to_handle_at', $CWD, '/opt', pack('V2 x128', 128, 0), "\0" x 4, 0) },
  descriptor => sub {
    file('a'); open(my $f, '<', 'a');
    my $fd = fileno $f;
    chown 33, 44, "/proc/self/fd/$fd"; chown -1, 45, "/dev/fd/$fd"; says('a');
    chown 1, 1, "/proc/$$/fd/$fd"; says('a');
    chown 2, -1, '/proc/self/cwd/a'; chown -1, 3, "/proc/$$/root/opt/calls/descriptor/a"; says('a');
    mkdir 'd'; file('d/f'); open(my $d, '<', 'd'); my $folder = fileno $d;
    chown 4, 5, "/proc/self/fd/$folder/f"; chown 6, -1, "/dev/fd/$folder/../a"; says('a'); says('d/f');
  },
  mode0 => sub { become(1000); umask 0; file('a'); mkdir 'd', 01777; says('d'); does('mkdirat', $CWD, 'e', 02755); says('e') },
  climbing => sub { mkdir 'd'; chdir 'd'; file('../a'); chown 3, 4, '../a'; symlink '/opt/calls/climbing/a', 'abs'; chown 5, 6, 'abs'; says('../a') },
  refused => sub { become(1000); told('chown', chown(0, 0, '/opt/old/a') - 1); $! = 0; file('mine'); told('own', chown(1000, 1000, 'mine') - 1) },
);

mkdir $_ for '/opt/calls', '/opt/told';
chmod 0777, '/opt/told';
for my $name (sort keys %case) {
  mkdir "/opt/calls/$name"; chmod 0777, "/opt/calls/$name"; chdir "/opt/calls/$name";
  next if my $child = fork // die;
  eval { $case{$name}->() };
  push @told, "died: $@" if $@;
  symlink join(' ', @told), "/opt/told/$name";
  exit 0;
} continue { 1 while wait > 0 }
chmod 0755, '/opt/told';
