# Has a child's harmless call turned into a forbidden one behind the filter's back, by a tracer (x86-64).
use POSIX ();
my ($TRACEME, $GETREGS, $SETREGS, $ATTACH, $DETACH, $SYSCALL, $SETOPTIONS) = (0, 12, 13, 16, 17, 24, 0x4200);
my ($PTRACE, $GETSID) = (101, 124);
my ($RDI, $ORIG_RAX) = (14, 15);
my %names = (1 => 'EPERM', 3 => 'ESRCH', 22 => 'EINVAL', 38 => 'ENOSYS');
$| = 1;

sub answer { my ($result) = @_; return $result < 0 ? ($names{ $! + 0 } // $! + 0) : 'allowed' }

sub swapped {
  my ($name, $number, $argument) = @_;
  my $child = fork;
  if ($child == 0) {
    syscall($PTRACE, $TRACEME, 0, 0, 0);
    kill STOP => $$;
    my $result = syscall($GETSID, 0);
    syswrite STDOUT, "$name: " . answer($result) . "\n";
    POSIX::_exit(0);
  }
  waitpid $child, 0;
  # PTRACE_O_SUSPEND_SECCOMP would switch the filter off.
  print "suspended filter\n" if syscall($PTRACE, $SETOPTIONS, $child, 0, 0x200000) == 0;
  while (1) {
    syscall($PTRACE, $SYSCALL, $child, 0, 0);
    waitpid $child, 0;
    my $registers = pack 'x216';
    last if syscall($PTRACE, $GETREGS, $child, 0, $registers) < 0;
    my @words = unpack 'q27', $registers;
    next if $words[$ORIG_RAX] != $GETSID;
    ($words[$ORIG_RAX], $words[$RDI]) = ($number, $argument);
    syscall($PTRACE, $SETREGS, $child, 0, pack('q27', @words));
    syscall($PTRACE, $DETACH, $child, 0, 0);
    waitpid $child, 0;
    last;
  }
}

swapped('unshare user', 272, 0x10000000);
swapped('unshare mount', 272, 0x20000);
swapped('keyctl', 250, 0);
my %words = map { split /=/, $_, 2 } @ARGV;
print 'attach to a process outside: ', answer(syscall($PTRACE, $ATTACH, $words{VICTIM} + 0, 0, 0)), "\n";
