import Foundation

/// posix_spawn(3) with what a test wants of it: descriptors 0 to 2 as given and no other, a session of the child's own
/// (so that a Ctrl-C at the terminal is the watchdog's to answer), no blocked or ignored signals.
struct Spawn {
  var executable: String
  var arguments: [String]
  var environment: [String: String]
  var workingDirectory: String?
  /// The descriptors that become the child's 0, 1 and 2.
  var descriptors: (input: Int32, output: Int32, error: Int32)

  /// Starts the child and returns its process ID, which is its session's and group's, too.
  func start() throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.input, 0)
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.output, 1)
    unsafe posix_spawn_file_actions_adddup2(&actions, descriptors.error, 2)
    // Closing one that another thread has closed meanwhile is no error (glibc's spawn ignores it).
    for descriptor in try openDescriptors() where descriptor > 2 {
      unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
    }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    unsafe sigfillset(&signals)
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | 0x80  // POSIX_SPAWN_SETSID
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))

    let variables = environment.map { "\($0.key)=\($0.value)" }
    // env(1) changes the folder and becomes the program, so the process ID stays.
    let command = workingDirectory.map { ["env", "--chdir=\($0)", executable] } ?? [executable]
    return try unsafe withCStrings(command + arguments) { argv in
      try unsafe withCStrings(variables) { envp in
        var pid: pid_t = 0
        let result = unsafe posix_spawnp(&pid, command[0], &actions, &attributes, argv, envp)
        guard result == 0 else { throw TestHostError("can't start \(executable): error \(result)") }
        return pid
      }
    }
  }

  private func openDescriptors() throws -> [Int32] {
    try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
  }

  /// Lends a nil-terminated array of C strings for the length of a call.
  private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) throws -> Result
  ) rethrows -> Result {
    var pointers: [UnsafeMutablePointer<CChar>?] = unsafe strings.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    return try unsafe pointers.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { fatalError("the array ends in nil, so it is not empty") }
      return try unsafe body(base)
    }
  }
}

/// A pipe whose ends no child inherits.
func makePipe() throws -> (read: Int32, write: Int32) {
  var ends: [Int32] = [0, 0]
  guard unsafe pipe(&ends) == 0 else { throw TestHostError("no pipe: errno \(errno)") }
  // pipe2(2) would do it in one step, but Glibc's Swift overlay has none; `Spawn` closes what it does not hand over.
  for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  return (ends[0], ends[1])
}
