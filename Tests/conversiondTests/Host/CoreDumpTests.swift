import Foundation
import TestHosts
import Testing

@Suite struct CoreDumpTests {
  /// Cores go to the working folder here, as the daemon's prefix makes it.
  private static let isPlain =
    (try? String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8))?.hasPrefix("core") == true

  /// Starts a program in a folder, with cores of any size allowed, and has it crash.
  private func cores(_ shop: DaemonFixture, _ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: shop.folder.path(folder)).filter { $0.hasPrefix("core") }
  }

  @Test(.enabled(if: isPlain && getuid() == 0, "cores go elsewhere here"))
  func aCrashWritesNothingOfTheMemory() async throws {
    try await DaemonFixture.with { shop in
      for name in ["crash", "control"] {
        try FileManager.default.createDirectory(atPath: shop.folder.path(name), withIntermediateDirectories: false)
      }
      let allowing = #"ulimit -c unlimited; cd "$0" && exec "$@""#
      let control = try ChildProcess("sh", ["-c", allowing, shop.folder.path("control"), "sleep", "60"])
      let daemon = try await shop.start(prefix: ["sh", "-c", allowing, shop.folder.path("crash")])
      let limits = try String(contentsOfFile: "/proc/\(daemon.pid)/limits", encoding: .utf8)
      let line = limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") }
      #expect(line?.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2) == ["0", "0"])
      // Of the signals that dump core, one that Swift's own backtraces leave alone.
      daemon.signal(SIGXCPU)
      control.signal(SIGXCPU)
      #expect(try await daemon.wait() == .signalled(SIGXCPU))
      try await control.wait()
      #expect(try cores(shop, "crash").isEmpty)
      #expect(try cores(shop, "control").count == 1, "or this test could not fail")
    }
  }

  @Test(.enabled(if: getuid() == 0)) func anotherProcessOfItsUserCannotReadItsMemory() async throws {
    try await DaemonFixture.with { shop in
      _ = try await ChildProcess.run("chown", ["-R", "postgres", shop.folder.path])
      let daemon = try await shop.start(prefix: ["setpriv", "--reuid=postgres", "--clear-groups"])
      // A process that can't be dumped belongs to root (proc(5), /proc/[pid]).
      let folder = try FileManager.default.attributesOfItem(atPath: "/proc/\(daemon.pid)/environ")
      #expect(folder[.ownerAccountID] as? Int == 0)
      let other = try await ChildProcess.run(
        "setpriv", ["--reuid=postgres", "--clear-groups", "head", "-c", "1", "/proc/\(daemon.pid)/mem"])
      #expect(other.errors.contains("Permission denied"))
    }
  }
}
