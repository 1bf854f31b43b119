import Foundation

/// A small disk of a test's own (tmpfs), mounted over a folder in a mount namespace that ends with this object, or with
/// the tests: nothing is ever left mounted.
public final class PrivateDisk: Sendable {
  private let holder: ChildProcess
  private let folder: String

  /// True if this host lets us mount.
  public static let isPermitted: Bool = {
    guard
      let trial = try? ChildProcess("unshare", ["--mount", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"])
    else { return false }
    let deadline = ContinuousClock.now + .seconds(5)
    while trial.end == nil, ContinuousClock.now < deadline { usleep(2000) }
    return trial.end == .exited(0)
  }()

  /// Mounts a disk of that many MiB over a folder.
  public init(over folder: String, mebibytes: Int) async throws {
    self.folder = folder
    let script = "mount -t tmpfs -o size=\(mebibytes)m,mode=700 none \"$0\" && echo mounted && exec sleep infinity"
    holder = try ChildProcess("unshare", ["--mount", "sh", "-c", script, folder])
    let holder = holder
    guard await eventually(within: .seconds(10), { holder.standardOutput.contains("mounted") }) else {
      throw TestHostError("no disk: \(holder.standardError)")
    }
  }

  /// A program that becomes another one, which sees the disk.
  public var prefix: [String] { ["nsenter", "--target", String(holder.pid), "--mount"] }

  /// Returns the path of a file of the disk, seen from outside.
  public func path(_ name: String) -> String { "/proc/\(holder.pid)/root\(folder)/\(name)" }

  /// Takes every byte that is left.
  public func fill() async throws {
    _ = try await ChildProcess.run(
      "dd", ["if=/dev/zero", "of=\(path("filler"))", "bs=4096", "oflag=append", "conv=notrunc"])
  }

  /// Gives them back.
  public func empty() throws { try FileManager.default.removeItem(atPath: path("filler")) }

  /// Runs a program that sees the disk.
  public func run(
    _ words: String...
  ) async throws -> (end: ChildProcess.End, output: String, errors: String) {
    let all = prefix + words
    return try await ChildProcess.run(all[0], Array(all.dropFirst()))
  }
}
