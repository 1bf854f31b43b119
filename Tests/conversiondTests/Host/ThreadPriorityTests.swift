import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Requests for a nice value that only root is given: libdispatch makes one in each of its threads, and none reaches the
/// kernel.
@Suite struct ThreadPriorityTests {
  private static let refused = "Failed to set thread priority"

  @Test(.enabled(if: getuid() == 0)) func noThreadAsksTheKernelForAPriority() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...3).map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      try await shop.insert((1...3).map { ShopOrder($0, email: "friend\($0)@example.com") })
      try await shop.start(
        prefix: ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"],
        environment: ["LIBDISPATCH_LOG": "stderr"])
      #expect(await shop.reaches(["1": "reported", "2": "reported", "3": "reported"]))
      #expect(!shop.log.contains(Self.refused))
      let symbols = try await ChildProcess.run("nm", ["--dynamic", "--defined-only", shop.program])
      #expect(symbols.output.contains(" T setpriority\n"), "\(symbols.errors)")
    }
  }
}
