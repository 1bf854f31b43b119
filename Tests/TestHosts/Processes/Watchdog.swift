import Glibc
import Synchronization

/// A shell that outlives the test process, to end what it started and to remove its folders, also after a crash, a
/// `kill -9` or a Ctrl-C. It waits for the end of its standard input: the kernel closes the pipe with the process.
final class Watchdog: Sendable {
  /// This process's one. `nil` where none could be started; tests still clean up after themselves.
  static let shared = try? Watchdog()

  /// SIGQUIT first, as PostgreSQL's postmaster takes its shared memory away on it, and after 5 s its children that
  /// don't end; then SIGKILL.
  private static let script = """
    trap '' INT TERM HUP
    pids=' '
    set --
    while read -r verb word; do
      case $verb in
        watch) pids="$pids$word " ;;
        forget) case $pids in *" $word "*) pids="${pids%% $word *} ${pids#* $word }" ;; esac ;;
        remove) set -- "$@" "$word" ;;
      esac
    done
    for pid in $pids; do kill -QUIT -"$pid" 2>/dev/null; kill -CONT -"$pid" 2>/dev/null; done
    for turn in $(seq 40); do
      alive=
      for pid in $pids; do kill -0 "$pid" 2>/dev/null && alive=1; done
      [ -z "$alive" ] && break
      sleep 0.2
    done
    for pid in $pids; do kill -KILL -"$pid" 2>/dev/null; done
    for folder in "$@"; do rm -rf -- "$folder"; done
    """

  private let input: Mutex<Int32>

  private init() throws {
    let (read, write) = try makePipe()
    defer { close(read) }
    let null = unsafe open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    let spawn = Spawn(
      executable: "/bin/sh", arguments: ["-c", Self.script], environment: ["PATH": "/usr/bin:/bin"],
      workingDirectory: "/", descriptors: (read, null, null))
    _ = try spawn.start()
    input = Mutex(write)
  }

  /// Ends the process group when this process ends.
  func watch(_ pid: pid_t) { tell("watch \(pid)") }

  /// The process has ended and its number may be another's soon.
  func forget(_ pid: pid_t) { tell("forget \(pid)") }

  /// Removes the folder when this process ends.
  func remove(_ folder: String) { tell("remove \(folder)") }

  /// One line, shorter than PIPE_BUF, so that it arrives whole.
  private func tell(_ line: String) {
    var bytes = Array("\(line)\n".utf8)
    input.withLock { descriptor in _ = unsafe write(descriptor, &bytes, bytes.count) }
  }
}
