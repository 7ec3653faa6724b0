# What a hostile step does to whoever answers its calls. Each prints `ok`, or what went wrong.
my $arm = `uname -m` =~ /aarch64/;
my %number = (
  fchownat => $arm ? 54 : 260, mmap => $arm ? 222 : 9, pread64 => $arm ? 67 : 17, setitimer => $arm ? 103 : 38,
  munmap => $arm ? 215 : 11, openat2 => 437, newfstatat => $arm ? 79 : 262,
);
my $CWD = -100;
sub does { my ($name, @args) = @_; syscall($number{$name}, @args) }
sub file { my $f; until (open($f, '>', $_[0])) { die "$_[0]: $!" unless $! == 4 } close $f }
sub owner { my @s = lstat($_[0]); "$s[4]:$s[5]" }
sub become { my $id = shift; $) = "$id $id"; $( = $id; ($<, $>) = ($id, $id) }
sub shared { does('mmap', 0, 8192, 3, 0x21, -1, 0) }
sub content { open(my $f, '+>', '/tmp/content'); syswrite $f, join '', map { pack 'a64', $_ } @_; $f }
mkdir '/tmp'; chdir '/tmp';

my %try = (
  # A timer goes off all the time; what is interrupted is made again by the caller.
  signals => sub {
    my ($rang, $interrupted) = (0, 0);
    $SIG{ALRM} = sub { $rang++ };
    does('setitimer', 0, pack('q4', 0, 300, 0, 300), 0);
    for my $n (1 .. 2000) {
      file('a') if $n % 100 == 1;
      until (does('fchownat', $CWD, 'a', $n, $n, 0) == 0) { die "errno $!" unless $! == 4; $interrupted++ }
    }
    does('setitimer', 0, pack('q4', 0, 0, 0, 0), 0);
    die 'no signal' unless $rang;
    die owner('a') unless owner('a') eq '2000:2000';
  },
  # The caller is killed while its call is answered.
  killed => sub {
    file('a');
    for my $n (1 .. 150) {
      my $child = fork // die;
      if ($child == 0) { my $to = 1; does('fchownat', $CWD, 'a', $to++, 7, 0) while 1 }
      select undef, undef, undef, $n % 7 / 2000;
      kill 'KILL', $child;
      waitpid $child, 0;
    }
    does('fchownat', $CWD, 'a', 3, 4, 0) == 0 or die $!;
    die owner('a') unless owner('a') eq '3:4';
  },
  crowd => sub {
    for my $one (1 .. 16) {
      next if fork;
      for my $n (1 .. 250) { file("f$one-$n"); chown($one, $n, "f$one-$n") == 1 or die $! }
      exit 0;
    }
    1 while wait > 0;
    for my $one (1 .. 16) { for my $n (1 .. 250) { die owner("f$one-$n") unless owner("f$one-$n") eq "$one:$n" } }
  },
  bomb => sub {
    file("f$_") for 1 .. 400;
    for my $n (1 .. 400) { next if fork; exec '/bin/busybox', 'chown', "$n:$n", "f$n" }
    1 while wait > 0;
    for my $n (1 .. 400) { die "$n " . owner("f$n") unless owner("f$n") eq "$n:$n" }
  },
  # Two processes, one piece of memory: the name changes while it is read.
  names => sub {
    my @names = ('a', 'link/host', '../../../../../../../../HOST', '/proc/1/root/HOST');
    file('a'); symlink '/', 'link';
    my ($at, $content) = (shared(), content(@names));
    my $child = fork // die;
    if ($child == 0) { while (1) { does('pread64', fileno $content, $at, 64, 64 * int rand @names) } }
    for (1 .. 3000) { my $done = does('fchownat', $CWD, $at, 5, 6, 0); die "errno $!" if $done != 0 && $! != 2 }
    kill 'KILL', $child; waitpid $child, 0;
    die owner('a') unless owner('a') =~ /^(0:0|5:6)$/;
  },
  # How to open changes while it is read: what is made belongs to its maker or was made by nobody's leave.
  flags => sub {
    chmod 0777, '/tmp';
    my ($at, $content) = (shared(), content(map { pack 'Q3', @$_ } [0102, 0600, 0], [0, 0, 0], [0102, 06755, 0], [020200002, 0600, 0]));
    become(1000);
    my $child = fork // die;
    if ($child == 0) { while (1) { does('pread64', fileno $content, $at, 24, 64 * int rand 4) } }
    my %owners;
    for my $n (1 .. 1500) {
      my $fd = does('openat2', $CWD, "n$n", $at, 24);
      open(my $f, '<&=', $fd) if $fd >= 0;
      $owners{owner("n$n")}++ if -e "n$n";
    }
    kill 'KILL', $child; waitpid $child, 0;
    die 'nothing was made' unless $owners{'1000:1000'};
  },
  # Addresses behind which there is nothing.
  addresses => sub {
    my $at = shared();
    does('munmap', $at + 4096, 4096);
    my $content = content('x' x 64);
    does('pread64', fileno $content, $at + 4032, 64, 0);
    for my $bad (8, $at + 4096, $at + 4032, -1) {
      does('fchownat', $CWD, $bad, 1, 1, 0) == -1 && $! == 14 or die "path at $bad: $!";
      does('newfstatat', $CWD, '/', $bad, 0) == -1 && $! == 14 or die "state at $bad: $!";
    }
    chown 1, 1, 'a';
    file('b'); chown 4294967294, 2147483648, 'b';
    die owner('b') unless owner('b') eq '4294967294:2147483648';
  },
);
eval { $try{$ENV{TRY}}->() };
print $@ || "ok\n";
