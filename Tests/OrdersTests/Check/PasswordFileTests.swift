import Foundation
import Testing

@testable import Orders

@Suite struct PasswordFileTests {
  private static let message = "connection to server failed: fe_sendauth: no password supplied"

  @Test func aPasswordFileThatOthersMayReadIsNamedAsTheCause() throws {
    let path = NSTemporaryDirectory() + "/pgpass-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    for (mode, words) in [(0o644, "its mode is 0644"), (0o640, "its mode is 0640"), (0o600, "no line of")] {
      try? FileManager.default.removeItem(atPath: path)
      #expect(
        FileManager.default.createFile(
          atPath: path, contents: Data("*:*:*:*:x\n".utf8), attributes: [.posixPermissions: mode]))
      let advice = PasswordFile.advice(for: Self.message, environment: ["PGPASSFILE": path])
      #expect(advice?.contains(words) == true, "\(advice ?? "-")")
      #expect((advice?.contains("chmod 600 \(path)") == true) == (mode != 0o600))
    }
    let missing = PasswordFile.advice(for: Self.message, environment: ["HOME": "/nonexistent"])
    #expect(missing?.contains("/nonexistent/.pgpass") == true)
    #expect(PasswordFile.advice(for: "password authentication failed", environment: ["PGPASSFILE": path]) == nil)
  }
}
