/**
 * Which system calls a step may make, in groups with a reason each. Written for tsbuild; a test compares the outcome
 * with Docker's default filter. A call that stands nowhere here answers ENOSYS, as on a kernel that does not have it,
 * so that a C library newer than this table falls back instead of failing.
 */
export interface Group {
  readonly why: string;
  /** Names, separated by white space. */
  readonly names: string;
}

/** Calls that are allowed whatever their arguments. */
export const allowed: readonly Group[] = [
  {
    why: 'Files by descriptor: reading, writing, seeking and their state; the descriptor was opened under the usual checks.',
    names: `read write readv writev pread64 pwrite64 preadv preadv2 pwritev pwritev2 lseek _llseek close close_range
      dup dup2 dup3 fcntl fcntl64 ioctl fstat fstat64 fstatfs fstatfs64 fsync fdatasync sync sync_file_range syncfs
      ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead flock copy_file_range sendfile sendfile64
      splice tee vmsplice getdents getdents64 fchdir fchmod fchown fchown32`,
  },
  {
    why: 'Files by path: every path lies in the root of the step.',
    names: `open openat openat2 creat stat stat64 lstat lstat64 fstatat64 newfstatat statx access faccessat faccessat2
      statfs statfs64 truncate truncate64 chdir getcwd mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2
      link linkat symlink symlinkat readlink readlinkat utime utimes futimesat utimensat utimensat_time64 umask`,
  },
  {
    why: 'Owners, modes and nodes: held back by capabilities, which count in the user namespace of the step only.',
    names: 'chmod fchmodat chown chown32 lchown lchown32 fchownat mknod mknodat',
  },
  {
    why: 'Extended attributes: file capabilities and ACLs are part of what packages install.',
    names: `getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr listxattr llistxattr flistxattr removexattr
      lremovexattr fremovexattr`,
  },
  {
    why: 'Watching files, which tells only of what can be read anyway (fanotify_init needs a capability, its mark alone nothing).',
    names: 'inotify_add_watch inotify_init inotify_init1 inotify_rm_watch fanotify_mark',
  },
  {
    why: 'Memory of the process itself.',
    names: `brk mmap mmap2 munmap mprotect mremap msync mincore madvise mlock mlock2 mlockall munlock munlockall
      membarrier memfd_create memfd_secret remap_file_pages`,
  },
  {
    why: 'Processes and threads: begin, become, wait, end. clone has an argument rule below.',
    names: `fork vfork execve execveat exit exit_group wait4 waitid waitpid getpid getppid gettid getpgid getpgrp setpgid
      getsid setsid set_tid_address set_robust_list get_robust_list set_thread_area get_thread_area rseq prctl
      restart_syscall pidfd_open pidfd_send_signal process_mrelease`,
  },
  {
    why: 'Tracing among the processes of the step: safe since kernel 4.8, which re-checks the filter after a tracer ran.',
    names: 'ptrace',
  },
  {
    why: 'Identity: the ids that exist are those of the namespace; going back up takes a capability.',
    names: `getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getgroups getgroups32 getresuid
      getresuid32 getresgid getresgid32 setuid setuid32 setgid setgid32 setgroups setgroups32 setregid setregid32
      setreuid setreuid32 setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32
      capget capset`,
  },
  {
    why: 'Signals: they reach processes of the same pid namespace.',
    names: `kill tkill tgkill rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
      rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack sigprocmask sigreturn signalfd signalfd4
      pause`,
  },
  {
    why: 'Time: reading, sleeping, timers. Setting a clock is refused by a capability where it is not refused here.',
    names: `time times gettimeofday clock_getres clock_getres_time64 clock_gettime clock_gettime64 clock_nanosleep
      clock_nanosleep_time64 nanosleep alarm getitimer setitimer timer_create timer_delete timer_getoverrun
      timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64
      timerfd_settime timerfd_settime64 adjtimex clock_adjtime clock_adjtime64`,
  },
  {
    why: 'Waiting for events, and waiting for each other.',
    names: `poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 epoll_create epoll_create1 epoll_ctl
      epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 futex futex_time64 futex_waitv
      io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64`,
  },
  {
    why: 'Sockets and pipes: what they reach is the matter of the network namespace. socket has an argument rule below; socketcall, by which 32-bit programs come to theirs, hides its arguments in memory.',
    names: `socketpair socketcall bind listen accept accept4 connect shutdown getsockname getpeername getsockopt
      setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64 pipe pipe2`,
  },
  {
    why: 'System V and POSIX messages, semaphores and shared memory: a namespace of the step.',
    names: `ipc msgctl msgget msgrcv msgsnd semctl semget semop semtimedop semtimedop_time64 shmat shmctl shmdt shmget
      mq_open mq_unlink mq_notify mq_getsetattr mq_timedreceive mq_timedreceive_time64 mq_timedsend
      mq_timedsend_time64`,
  },
  {
    why: 'Scheduling and limits of own processes; raising them takes capabilities.',
    names: `sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
      sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval
      sched_rr_get_interval_time64 sched_yield getcpu getpriority setpriority ioprio_get ioprio_set getrlimit
      ugetrlimit setrlimit prlimit64 getrusage`,
  },
  { why: 'Facts about the machine.', names: 'uname sysinfo getrandom' },
  {
    why: 'Giving up rights: a process may always restrict itself further.',
    names: 'seccomp landlock_add_rule landlock_create_ruleset landlock_restrict_self',
  },
  {
    why: 'Younger forms of calls allowed above; today’s C libraries try them first.',
    names: `fchmodat2 cachestat futex_wait futex_wake futex_requeue mseal map_shadow_stack getxattrat setxattrat
      listxattrat removexattrat`,
  },
];

/** Calls that exist on some architectures only. */
export const allowedOn: Readonly<Record<string, Group>> = {
  x64: {
    why: 'Thread-local storage, and segments for Wine and old 32-bit programs.',
    names: 'arch_prctl modify_ldt',
  },
  arm64: {
    why: 'Forms of allowed calls with other argument orders, and what 32-bit ARM programs need.',
    names: 'arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls',
  },
};

/** What a capability adds. Without it these calls answer EPERM, which programs know how to read. */
export const allowedWith: Readonly<Record<string, string>> = {
  CAP_DAC_READ_SEARCH: 'open_by_handle_at',
  CAP_SYS_ADMIN: `bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie mount mount_setattr
    move_mount name_to_handle_at open_tree perf_event_open quotactl quotactl_fd setdomainname sethostname setns syslog
    umount umount2 unshare`,
  CAP_SYS_BOOT: 'reboot',
  CAP_SYS_CHROOT: 'chroot',
  CAP_SYS_MODULE: 'delete_module init_module finit_module',
  CAP_SYS_PACCT: 'acct',
  CAP_SYS_PTRACE: 'kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev',
  CAP_SYS_RAWIO: 'iopl ioperm',
  CAP_SYS_TIME: 'settimeofday stime clock_settime',
  CAP_SYS_TTY_CONFIG: 'vhangup',
  CAP_SYS_NICE: 'get_mempolicy mbind set_mempolicy',
  CAP_SYSLOG: 'syslog',
};

/** Refused with EPERM whatever a step holds. */
export const refused: readonly Group[] = [
  { why: 'Kernel keyrings are not namespaced.', names: 'add_key keyctl request_key' },
  {
    why: 'Replaces or alters the running kernel.',
    names: 'kexec_load kexec_file_load swapon swapoff pivot_root',
  },
  { why: 'A favourite of exploits: stalls the kernel at a fault of choice.', names: 'userfaultfd' },
  {
    why: 'A second door to most other calls, past this filter.',
    names: 'io_uring_setup io_uring_enter io_uring_register',
  },
  { why: 'Moves memory of others.', names: 'move_pages migrate_pages' },
];

/** All namespace flags of clone: NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
export const namespaceFlags = 0x7e020000;
export const newUser = 0x10000000;

/**
 * Families of sockets that no step opens: AF_ALG, the kernel's ciphers with their history of holes, and AF_VSOCK, which
 * reaches the host of a virtual machine past every network namespace.
 */
export const refusedFamilies: readonly number[] = [38, 40];
/** All families are below it. */
export const familiesEnd = 64;

/** Execution domains that a step may choose: Linux, 32-bit Linux, each also as UNAME26, and asking (all ones). */
export const personalities: readonly number[] = [0, 0x8, 0x20000, 0x20008, 0xffffffff];
