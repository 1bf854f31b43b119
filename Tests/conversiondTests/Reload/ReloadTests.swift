import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// The running daemon loads its configuration again.
@Suite struct ReloadTests {
  @Test func aGoodFileIsInForceAtOnceAndReachesOpenOrders() async throws {
    try await DaemonFixture.with(["reporting.hold": "14d"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.reaches(["1": "held"]))
      try shop.configure(["reporting.hold": "0s"])
      let result = try await shop.run("reload")
      #expect(result.end == .exited(0), "\(result.errors)")
      #expect(result.output == "\(shop.configurationFile) is in force; changed: reporting\n")
      #expect(await shop.logs("is in force (user 0"), "\(shop.log)")
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.sandbox.state.counters.converted == 1)
    }
  }

  @Test func aFileWithMistakesIsRefusedAndTheOneFromBeforeStaysInForce() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put(["ana", "bea"].map { SandboxReferral("r_\($0)", email: "\($0)@example.com") })
      try await shop.start()
      #expect(await shop.catchesUp())
      try shop.configure(["reporting.holt": "14d", "log.level": "loud"])
      let result = try await shop.run("reload")
      #expect(result.end == .exited(78))
      let places = result.errors.matches(of: #/conversiond.yaml:\d+:\d+: /#)
      #expect(places.count == 2, "\(result.errors)")
      #expect(result.errors.contains("the daemon goes on with the configuration that it has"))
      #expect(result.output.isEmpty)
      let status = try await shop.status()
      #expect(status.report.reloadRefused?.reasons.count == 2)
      #expect(status.end == .exited(1))
      let json = try await shop.run("reload", "--json")
      #expect(json.end == .exited(78) && json.output.contains("\"reasons\""))
      let screen = try await shop.run("queue", "list")
      #expect(screen.end == .exited(78), "commands read the file that is there")
      #expect(await shop.logs("was refused, and the daemon goes on"), "\(shop.log)")
      // By the configuration from before.
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      #expect(await shop.reaches(["1": "reported"]))

      try shop.configure(["reporting.holt": nil, "log.level": "debug"])
      #expect(try await shop.run("reload").output.contains("is in force; nothing in it has changed"))
      #expect(try await shop.status().report.reloadRefused == nil)
      try await shop.insert(ShopOrder(2, email: "bea@example.com"))
      #expect(await shop.reaches(["2": "reported"]))
    }
  }

  @Test func aMappingThatTheShopsDatabaseRefusesIsRefused() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.start()
      #expect(await shop.catchesUp())
      for (key, value, words) in [
        ("orders.columns.email", "no_such_column", "no_such_column"), ("orders.from", "no_such_table", "no_such_table"),
        ("orders.connection", "'host=/nowhere dbname=shop'", "orders.connection"),
      ] {
        let before = try String(contentsOfFile: shop.configurationFile, encoding: .utf8)
        try shop.configure([key: value])
        let result = try await shop.run("reload")
        #expect(result.end == .exited(78), "\(key)")
        #expect(result.errors.contains(words), "\(result.errors)")
        try shop.folder.write(before, to: "conversiond.yaml")
        try shop.configure([
          "orders.columns.email": "customer_email", "orders.from": "orders",
          "orders.connection": DaemonConfiguration.quoted(shop.database.conninfo),
        ])
      }
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      #expect(await shop.reaches(["1": "reported"]))
    }
  }

  @Test func keysThatAreTakenAtAStartAreNamed() async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      try shop.configure(["api.key_file": "/nowhere", "reporting.hold": "1d"])
      let result = try await shop.run("reload")
      #expect(result.end == .exited(78))
      #expect(result.errors.contains("api.key_file is taken at a start only"), "\(result.errors)")
      #expect(result.errors.contains("systemctl restart conversiond"))
    }
  }

  @Test func anotherMappingIsReadByFromThenOn() async throws {
    try await DaemonFixture.with(["orders.qualifying_statuses": "[completed]"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(await shop.reaches(["1": "not_qualifying"]))
      try shop.configure(["orders.qualifying_statuses": "[paid]"])
      let result = try await shop.run("reload")
      #expect(result.end == .exited(0), "\(result.errors)")
      #expect(await shop.reaches(["1": "reported"]))
    }
  }

  @Test func aSendUnderWayEndsFirstAndIsNotDoubled() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      await shop.sandbox.order(SandboxFaultRule(.hang(afterWork: true), on: .conversions))
      try await shop.start()
      #expect(await shop.reaches(["1": "sending"]))
      #expect(await eventually { await shop.sandbox.state.converted.count == 1 })
      let began = ContinuousClock.now
      try shop.configure(["log.level": "info"])
      let result = try await shop.run("reload")
      #expect(result.end == .exited(0), "\(result.errors)")
      #expect(ContinuousClock.now - began < .seconds(15))
      #expect(await shop.reaches(["1": "reported"]))
      let state = await shop.sandbox.state
      #expect(state.counters.converted == 1)
      #expect(Set(state.reportedBodies).count == 1)
    }
  }

  @Test func manyReloadsLoseAndDoubleNothing() async throws {
    try await DaemonFixture.with { shop in
      let numbers = 1...60
      try await shop.sandbox.put(numbers.map { SandboxReferral("r\($0)", email: "friend\($0)@example.com") })
      let daemon = try await shop.start()
      for number in numbers {
        try await shop.insert(ShopOrder(number, email: "friend\(number)@example.com"))
        guard number % 6 == 0 else { continue }
        try shop.configure(["orders.poll_interval": "\(200 + number)ms"])
        if number % 12 == 0 {
          daemon.signal(SIGHUP)
        } else {
          #expect(try await shop.run("reload").end == .exited(0))
        }
      }
      let all = Dictionary(uniqueKeysWithValues: numbers.map { ("\($0)", "reported") })
      #expect(await shop.reaches(all, within: .seconds(90)))
      #expect(await shop.sandbox.state.counters.converted == numbers.count)
      #expect(daemon.end == nil)
      #expect(try await shop.stop() == .exited(0))
    }
  }

  @Test func theServiceManagerIsToldOfEachReloadAndOfItsEnd() async throws {
    try await DaemonFixture.with { shop in
      let manager = try DatagramSocket(path: shop.folder.path("notify"))
      let daemon = try await shop.start(environment: ["NOTIFY_SOCKET": manager.path])
      func heard(until words: String) async -> [String] {
        var lines: [String] = []
        _ = await eventually(within: .seconds(15), every: .milliseconds(5)) {
          while let message = manager.receive(milliseconds: 0), !message.isEmpty {
            lines += String(decoding: message, as: UTF8.self).split(separator: "\n").map(String.init)
          }
          return lines.contains { $0.hasPrefix(words) }
        }
        return lines
      }
      _ = await heard(until: "READY=1")
      for isGood in [true, false] {
        try shop.configure(["log.level": isGood ? "info" : "loud"])
        daemon.signal(SIGHUP)
        let lines = await heard(until: "READY=1")
        #expect(lines.contains("RELOADING=1"), "\(lines)")
        #expect(lines.contains { $0.wholeMatch(of: #/MONOTONIC_USEC=\d{6,}/#) != nil }, "\(lines)")
        #expect(lines.contains("READY=1"), "\(lines)")
      }
      let lines = await heard(until: "STATUS=the configuration on the disk was refused at ")
      #expect(lines.contains { $0.hasPrefix("STATUS=the configuration on the disk was refused at ") }, "\(lines)")
    }
  }

  @Test func reloadsAtOnceFollowEachOther() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      let daemon = try await shop.start()
      #expect(await shop.catchesUp())
      try shop.configure(["reporting.hold": "1s"])
      async let first = shop.run("reload")
      async let second = shop.run("reload")
      daemon.signal(SIGHUP)
      async let third = shop.run("reload")
      #expect(try await [first.end, second.end, third.end] == [.exited(0), .exited(0), .exited(0)])
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      #expect(await shop.reaches(["1": "reported"]))
      #expect(try await shop.stop() == .exited(0))
    }
  }

  /// To begin anew would keep first sends back until everything is read again.
  @Test func aFileThatChangesNothingOrTheLogAloneLetsThePipelineGoOn() async throws {
    try await DaemonFixture.with(["log.level": "notice"]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: "ana@example.com")])
      try await shop.start()
      #expect(await shop.catchesUp())
      #expect(try await shop.run("reload").output.contains("nothing in it has changed"))
      try shop.configure(["log.level": "debug"])
      #expect(try await shop.run("reload").output.contains("changed: log"))
      try await shop.insert(ShopOrder(1, email: "ana@example.com"))
      #expect(await shop.reaches(["1": "reported"]))
      #expect(await shop.logs("info  "), "\(shop.log)")
      #expect(shop.log.matches(of: #/caught up/#).count == 1, "\(shop.log)")
    }
  }

  @Test func aRotatedKeyIsNamedAsARestartsWork() async throws {
    try await DaemonFixture.with { shop in
      try await shop.start()
      #expect(await shop.catchesUp())
      try shop.folder.write("oft_00112233445566778899aabbccddeeff\n", to: "api-key", permissions: 0o600)
      let result = try await shop.run("reload")
      #expect(result.end == .exited(0))
      #expect(result.errors.contains("systemctl restart conversiond takes it"), "\(result.errors)")
      #expect(!result.errors.contains("00112233"))
    }
  }

  @Test func withoutADaemonItSaysSo() async throws {
    try await DaemonFixture.with { shop in
      let result = try await shop.run("reload")
      #expect(result.end == .exited(3))
      #expect(result.errors.contains("Try: systemctl start conversiond"))
    }
  }
}
