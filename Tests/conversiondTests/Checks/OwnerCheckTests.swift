import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The owner of what the daemon must open comes before all that fails because of it.
@Suite struct OwnerCheckTests {
  private static let path = "/var/lib/conversiond/ledger.sqlite"

  @Test(arguments: [
    (UInt32(70_001), UInt16(0o600), String?.none, String?.none),
    (0, 0o600, "FAIL", "belongs to root, and the daemon runs as 70001"), (0, 0o644, "FAIL", "belongs to root"),
    (0, 0o666, "warn", "any user can read"), (70_001, 0o400, "FAIL", "has mode 400"),
    (70_001, 0o644, "warn", "any user can read"),
  ])
  func aFileIsJudged(owner: UInt32, mode: UInt16, verdict: String?, words: String?) {
    let user = DaemonUser(id: 70_001, group: 70_001)
    let file = OwnerCheck.File(
      path: Self.path, owner: owner, ownerName: owner == 0 ? "root" : "70001", group: owner, mode: mode)
    let line = OwnerCheck.line(for: file, user: user)
    #expect(line?.verdict.rawValue == verdict)
    #expect(words == nil || line?.message.contains(words ?? "") == true, "\(String(describing: line))")
    if owner == 0, verdict == "FAIL" { #expect(line?.advice == "chown 70001: \(Self.path)") }
  }

  @Test func aFolderOfEachUserIsNoFault() {
    let user = DaemonUser(id: 70_001, group: 70_001)
    let file = OwnerCheck.File(path: "/tmp", isFolder: true, owner: 0, ownerName: "root", group: 0, mode: 0o1777)
    #expect(OwnerCheck.line(for: file, user: user) == nil)
  }

  @Test(.enabled(if: getuid() == 0, "only root can give a file away"))
  func aLedgerOfRootsIsSaidFirst() async throws {
    try await DaemonFixture.with { shop in
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "waiting"]))
      try await shop.stop()
      _ = try await ChildProcess.run("chown", ["-R", "postgres", shop.folder.path])
      let right = try await shop.run("check")
      #expect(right.end == .exited(0), "\(right.output)")
      #expect(right.output.contains("the ledger's files can be written by postgres"), "\(right.output)")
      // A backup that root has put back.
      _ = try await ChildProcess.run("chown", ["root", shop.ledgerFile])
      _ = try await ChildProcess.run("chmod", ["600", shop.ledgerFile])
      let check = try await shop.run("check")
      #expect(check.end == .exited(1))
      let failures = check.output.split(separator: "\n").filter { $0.hasPrefix("FAIL") }
      #expect(
        failures.first?.hasSuffix("\(shop.ledgerFile) belongs to root, and the daemon runs as postgres") == true,
        "\(check.output)")
      #expect(check.output.contains("→ chown postgres: \(shop.ledgerFile)\n"))
      #expect(!check.output.contains("role \"root\""))
      let only = try await shop.run("check", "--only", "owner", "--offline", "--json")
      #expect(only.end == .exited(1) && only.output.split(separator: "\n").count == 1, "\(only.output)")
      let found = try await ChildProcess.run("find", [shop.folder.path, "-user", "root"])
      #expect(found.output == shop.ledgerFile + "\n", "nothing else became root's")
    }
  }

  @Test func checksAreChosenByName() async throws {
    try await DaemonFixture.with { shop in
      func subjects(_ options: String...) async throws -> [String] {
        let result = try await shop.run(["check", "--offline", "--json", "--config", shop.configurationFile] + options)
        #expect(result.end == .exited(0), "\(options): \(result.output)\(result.errors)")
        return try result.output.split(separator: "\n").map {
          try JSONDecoder.contract.decode(CheckLine.self, from: Data($0.utf8)).subject
        }
      }
      #expect(try await subjects("--only", "unit") == ["unit"])
      #expect(try await subjects("--only", "owner", "--only", "disk") == ["owner", "disk"])
      let all = try await subjects()
      #expect(Set(all).isSuperset(of: ["configuration", "owner", "api.key_file", "disk", "ledger", "unit"]), "\(all)")
      let some = try await subjects("--skip", "unit", "--skip", "disk")
      #expect(some == all.filter { $0 != "unit" && $0 != "disk" })
      #expect(try await shop.run("check", "--only", "units").end == .exited(64))
    }
  }
}
