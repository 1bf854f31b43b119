import Foundation
import PartnersSandbox
import Testing

/// The curl program, because libcurl is what partners and the daemon use most.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl")), .timeLimit(.minutes(5)))
struct CurlTests {
  /// Runs curl and returns its exit code and what it printed.
  private func curl(_ arguments: [String]) async throws -> (code: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/curl")
    process.arguments = [
      "--silent", "--show-error", "--max-time", "20", "-H", "X-API-Key: \(SandboxConfiguration.defaultKey)",
    ]
    process.arguments? += arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    let code: Int32 = try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    return (code, String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self))
  }

  @Test("The reference's own example") func example() async throws {
    try await withSandbox { _, address in
      let (code, output) = try await curl(["\(address.baseURL)/referrals"])
      #expect(code == 0)
      #expect(output == #"{"referrals":[],"pagination":{"page":1,"pageSize":25,"total":0}}"#)
    }
  }

  @Test(
    "A large body, for which curl asks 100-continue first; refused ones too",
    arguments: [(4 << 20, "400"), (1000, "413")])
  func largeBody(_ bodyMax: Int, _ expected: String) async throws {
    var configuration = SandboxConfiguration.unlimited
    configuration.bodyMax = bodyMax
    try await withSandbox(configuration) { _, address in
      let file = FileManager.default.temporaryDirectory.appending(path: "body-\(UUID().uuidString).json")
      defer { try? FileManager.default.removeItem(at: file) }
      try Data(#"{"metadata":{"k":"\#(String(repeating: "x", count: 2_000_000))"}}"#.utf8).write(to: file)
      let (code, output) = try await curl([
        "--data-binary", "@\(file.path)", "--output", "/dev/null", "--write-out", "%{http_code} %{num_connects}",
        "\(address.baseURL)/referrals",
      ])
      #expect(code == 0, "\(output)")
      #expect(output == "\(expected) 1")
    }
  }

  @Test("One connection for several requests") func reuse() async throws {
    try await withSandbox { _, address in
      let list = "\(address.baseURL)/referrals"
      let (code, output) = try await curl([
        "--output", "/dev/null", "--output", "/dev/null", "--write-out", "%{http_code} %{num_connects};", list, list,
      ])
      #expect(code == 0)
      #expect(output == "200 1;200 0;")
    }
  }

  @Test(
    "curl tells the faults apart: empty reply 52, partial file 18, reset 56",
    arguments: [(.loseAnswer, 52), (.truncate(bodyBytes: 5), 18), (.reset(afterWork: true), 56)]
      as [(SandboxFault, Int32)])
  func faults(_ fault: SandboxFault, _ expected: Int32) async throws {
    try await withSandbox { sandbox, address in
      await sandbox.order(SandboxFaultRule(fault, times: nil))
      let (code, output) = try await curl(["\(address.baseURL)/referrals"])
      #expect(code == expected, "\(output)")
    }
  }
}
