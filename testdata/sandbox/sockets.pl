# Reaches for what listens or passes outside: an abstract socket, the loopback, the packets of all.
use Socket;
my %words = map { split /=/, $_, 2 } @ARGV;
my %try = (
  abstract => sub { socket(my $s, PF_UNIX, SOCK_STREAM, 0); connect($s, pack('S a108', AF_UNIX, "\0$words{SOCKET}")) },
  loopback => sub { socket(my $s, PF_INET, SOCK_STREAM, 0); connect($s, pack_sockaddr_in($words{PORT}, INADDR_LOOPBACK)) },
  packets => sub { socket(my $s, 17, SOCK_RAW, 0x0300) },
);
print "$ENV{TRY}\n" if $try{$ENV{TRY}}->();
