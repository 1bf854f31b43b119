import Foundation
import Glibc
import Synchronization

/// A process that a test starts, listens to, signals and waits for. Killed, with its children, when the last
/// reference goes, and by the watchdog should the test process crash.
///
/// Reading and reaping happen on threads of their own, so that neither a silent child nor a talkative one blocks a
/// test. It inherits no descriptor but its three.
public final class ChildProcess: Sendable {
  /// The end of a process.
  public enum End: Sendable, Equatable {
    /// By itself, with an exit code.
    case exited(Int32)
    /// By a signal.
    case signalled(Int32)
  }

  /// Its process ID, which is its process group's, too.
  public let pid: Int32
  private let output = CapturedStream()
  private let errors = CapturedStream()
  private let reaping: Reaping
  private let input: Mutex<Int32?>

  /// Starts an executable, found in PATH unless its name has a slash.
  ///
  /// `environment` replaces this process's environment where it is given.
  public init(
    _ executable: String, _ arguments: [String] = [], environment: [String: String]? = nil,
    workingDirectory: String? = nil
  ) throws {
    Self.ignoreBrokenPipes
    let (toRead, toWrite) = (try makePipe(), try makePipe())
    let errorEnds = try makePipe()
    defer { for end in [toRead.read, toWrite.write, errorEnds.write] { close(end) } }
    let spawn = Spawn(
      executable: executable, arguments: arguments,
      environment: environment ?? ProcessInfo.processInfo.environment, workingDirectory: workingDirectory,
      descriptors: (toRead.read, toWrite.write, errorEnds.write))
    do {
      pid = try spawn.start()
    } catch {
      for end in [toRead.write, toWrite.read, errorEnds.read] { close(end) }
      throw error
    }
    input = Mutex(toRead.write)
    reaping = Reaping(pid)
    Watchdog.shared?.watch(pid)
    output.capture(toWrite.read)
    errors.capture(errorEnds.read)
    reaping.begin()
  }

  /// A child that ends before it has read its input must not end the tests; children start with the default again.
  private static let ignoreBrokenPipes: Void = { _ = Glibc.signal(SIGPIPE, SIG_IGN) }()

  /// The text that it has written to standard output so far.
  public var standardOutput: String { output.text }
  /// The text that it has written to standard error so far.
  public var standardError: String { errors.text }
  /// The complete lines of standard output so far.
  public var outputLines: [String] { output.lines }
  /// The complete lines of standard error so far.
  public var errorLines: [String] { errors.lines }
  /// Its end; nil while it runs.
  public var end: End? { reaping.end }

  /// Writes to its standard input.
  public func send(_ text: String) {
    var bytes = Array(text.utf8)
    input.withLock { descriptor in
      if let descriptor { _ = unsafe write(descriptor, &bytes, bytes.count) }
    }
  }

  /// Ends its standard input.
  public func closeInput() {
    input.withLock { descriptor in
      if let open = descriptor { close(open) }
      descriptor = nil
    }
  }

  /// Sends it a signal; nothing happens when it has ended.
  public func signal(_ number: Int32) { reaping.signal(number, group: false) }

  /// Waits for its end and for the last of its output; kills it and throws when that takes longer.
  @discardableResult
  public func wait(within limit: Duration = .seconds(30)) async throws -> End {
    let ended = await eventually(within: limit) { end != nil && output.isComplete && errors.isComplete }
    if ended, let end { return end }
    reaping.signal(SIGKILL, group: true)
    throw TestHostError("process \(pid) still ran after \(limit); standard error: \(standardError.suffix(2000))")
  }

  /// Runs an executable to its end and returns what it wrote.
  ///
  /// - Throws: `TestHostError` when it does not end in time.
  public static func run(
    _ executable: String, _ arguments: [String] = [], input: String? = nil, environment: [String: String]? = nil,
    within limit: Duration = .seconds(60)
  ) async throws -> (end: End, output: String, errors: String) {
    let process = try ChildProcess(executable, arguments, environment: environment)
    if let input {
      // More than a pipe holds must not block a thread of the pool.
      Thread.detachNewThread {
        process.send(input)
        process.closeInput()
      }
    } else {
      process.closeInput()
    }
    let end = try await process.wait(within: limit)
    return (end, process.standardOutput, process.standardError)
  }

  deinit {
    closeInput()
    reaping.signal(SIGKILL, group: true)
  }
}
