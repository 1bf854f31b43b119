import Foundation
import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// A key and e-mails that are easily recognised, sent through all kinds of answers and failures; then looked for.
@Suite struct KeyCanaryTests {
  private static let local = "canary.of.the.mine"
  private static let email = local + "@example.com"
  private static let key = DaemonFixture.key

  /// An API, or a proxy before it, that sends back what it was sent, wherever it can.
  private static let echoes: [SandboxFault] = {
    let words = #"bad key \#(key) (\#(key.uppercased())) for \#(email), \#(local)%40example.com"#
    let error = #"""
      {"error":{"code":"\#(key)","message":"\#(words)\u001b[2J\r\n","fields":[{"field":"\#(email)","message":"\#(words)"}]}}
      """#
    let headers = [
      SandboxAnswer.Field("X-API-Key", key), .init("Set-Cookie", key), .init("Retry-After", key), .init("Date", email),
    ]
    // A wait that can't be read would be an hour.
    let shortWait = [SandboxAnswer.Field("X-API-Key", key), .init("Set-Cookie", key), .init("Retry-After", "1")]
    return [
      .answer(SandboxAnswer(400, headers: headers, body: error)),
      .answer(SandboxAnswer(409, headers: headers, body: error)),
      .answer(SandboxAnswer(429, headers: shortWait, body: error)),
      .answer(SandboxAnswer(500, headers: headers, contentType: key, body: "<html>\(words)</html>")),
      .answer(SandboxAnswer(503, headers: headers, contentType: email, body: words)),
      .answer(SandboxAnswer(201, headers: headers, body: #"{"referralId":"\#(words)","status":"\#(key)"}"#)),
      .reset(afterWork: false), .truncate(bodyBytes: 30), .garbage(.trailing),
    ]
  }()

  private func expectClean(_ what: String, _ text: String) {
    #expect(!text.lowercased().contains(Self.key), "the key in the \(what)")
    #expect(!text.contains(Self.local), "an e-mail in the \(what)")
  }

  private func expectNoKeyInFiles(_ shop: DaemonFixture, _ when: String) {
    for (name, bytes) in shop.files {
      #expect(bytes.range(of: Data(Self.key.utf8)) == nil, "\(name), \(when)")
      // The ledger needs addresses to match by; nothing else does.
      guard !name.contains("ledger.sqlite") else { continue }
      #expect(bytes.range(of: Data(Self.local.utf8)) == nil, "\(name), \(when)")
    }
  }

  /// Returns the control socket's raw answers.
  private func asked(_ shop: DaemonFixture) async throws -> String {
    var answers = ""
    let list = "v1/queue?state=reported&state=review&state=queued&state=waiting&after=0&limit=100"
    for path in ["v1/status", list] + (1...20).map({ "v1/queue/\($0)" }) {
      answers += try await ChildProcess.run(
        "curl", ["-s", "--unix-socket", shop.socket, "http://localhost/\(path)"]
      ).output
    }
    return answers
  }

  private func printed(_ shop: DaemonFixture) async throws -> String {
    var printed = ""
    let show = ["queue", "show"] + (1...12).map { "#\($0)" }
    for arguments in [["status"], ["queue", "list", "--state", "ALL"], show, ["check"]] {
      for option in [[], ["--json"]] {
        let result = try await shop.run(arguments + option + ["--config", shop.configurationFile])
        printed += result.output + result.errors
      }
    }
    return printed
  }

  @Test func theKeyIsNowhereButInItsFileAndEmailsAreMasked() async throws {
    let metadata = "{ buyer: customer_email, words: \"'call ' || customer_email || ' please'\" }"
    try await DaemonFixture.with(["reporting.metadata": metadata]) { shop in
      let count = Self.echoes.count
      try await shop.sandbox.put((1...count).map { SandboxReferral("r\($0)", email: "\($0).\(Self.email)") })
      // A list that holds the key and the address in its other fields.
      try await shop.sandbox.put([
        SandboxReferral("echo", email: "echo@example.com", lead: Self.key, referrer: Self.email)
      ])
      try await shop.insert((1...count).map { ShopOrder($0, email: "\($0).\(Self.email)") })
      try await shop.insert(
        ShopOrder(50, email: Self.email, total: "-1"), ShopOrder(51, email: Self.email, lead: Self.email),
        ShopOrder(52, email: "echo@example.com"))
      for (number, fault) in Self.echoes.enumerated() {
        await shop.sandbox.order(
          SandboxFaultRule(fault, on: .init(method: "POST", referralID: "r\(number + 1)")))
      }
      await shop.sandbox.order(
        SandboxFaultRule(Self.echoes[3], on: .reads, times: 2), SandboxFaultRule(Self.echoes[0], on: .reads, times: 1))
      let daemon = try await shop.start()
      #expect(await shop.reaches(["1": "review: rejected"], within: .seconds(90)))
      #expect(
        await eventually(within: .seconds(120)) {
          await shop.peek()?.values.allSatisfy { ["reported", "review", "waiting"].contains($0.state) } == true
        })
      for name in ["cmdline", "environ", "comm", "status"] {
        let bytes = FileManager.default.contents(atPath: "/proc/\(daemon.pid)/\(name)") ?? Data()
        #expect(!bytes.isEmpty)
        expectClean("/proc/\(daemon.pid)/\(name)", String(decoding: bytes, as: UTF8.self))
      }
      let before = try await asked(shop) + printed(shop)
      #expect(before.contains("c***@example.com") && before.contains("oft_***"), "or this test could not fail")
      expectClean("control socket and commands", before)
      // The shop's own server quotes what it can't read.
      try await shop.database.execute(
        """
        CREATE FUNCTION refuse(text) RETURNS numeric LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'no total for %', $1; END $$
        """)
      try await shop.sandbox.put([SandboxReferral("r60", email: "60.\(Self.email)")])
      await shop.sandbox.setKeys([:])
      try await shop.insert(ShopOrder(60, email: "60.\(Self.email)"))
      #expect(await eventually(within: .seconds(60)) { shop.log.contains("HTTP 401") })
      expectNoKeyInFiles(shop, "while it runs")
      try await shop.stop()
      try shop.configure(["orders.columns.total": "refuse(customer_email)"])
      try await shop.start()
      #expect(await eventually(within: .seconds(30)) { shop.log.contains("raised an exception") })
      expectClean("control socket and commands", try await asked(shop) + printed(shop))
      try await shop.stop()
      expectNoKeyInFiles(shop, "stopped")
      expectClean("log", shop.log + shop.output)
      expectClean("commands, stopped", try await printed(shop))
      try await forgetAll(shop, count: count)
    }
  }

  /// After `forget` the ledger needs no address any more.
  private func forgetAll(_ shop: DaemonFixture, count: Int) async throws {
    func holds() -> Bool {
      shop.files.contains { $0.name.contains("ledger.sqlite") && $0.bytes.range(of: Data(Self.local.utf8)) != nil }
    }
    #expect(holds(), "or this test could not fail")
    // An order that waits for the key is queued: its friend's referral is converted by another program.
    try await shop.sandbox.put([SandboxReferral("r60", email: "60.\(Self.email)", status: .converted)])
    await shop.sandbox.setKeys([Self.key: SandboxConfiguration.defaultPartner])
    try shop.configure(["orders.columns.total": "total_cents"])
    try await shop.start()
    #expect(await shop.reaches(["60": "superseded"], within: .seconds(60)))
    // Refused orders are asked for again by the new rules, and must end before their friends can be forgotten.
    let ended = await eventually(within: .seconds(60)) {
      await shop.peek()?.values.allSatisfy { !["queued", "held"].contains($0.state) } == true
    }
    #expect(ended)
    try await shop.stop()
    for person in [Self.email, "60.\(Self.email)"] + (1...count).map({ "\($0).\(Self.email)" }) {
      let done = try await shop.run("forget", "-", "--yes", input: person + "\n")
      #expect(done.end == .exited(0), "\(done)")
      expectClean("forget", done.output + done.errors)
    }
    #expect(!holds())
  }

  @Test func aDryRunMasksWhatItWouldReport() async throws {
    let metadata = "{ buyer: customer_email, words: \"'call ' || customer_email || E'\\\\e[2J'\" }"
    try await DaemonFixture.with(["reporting.metadata": metadata]) { shop in
      try await shop.sandbox.put([SandboxReferral("r", email: Self.email)])
      try await shop.insert(ShopOrder(1, email: Self.email))
      let daemon = try shop.launch(["--dry-run"])
      #expect(await eventually(within: .seconds(20)) { daemon.standardError.contains("event=would_report") })
      #expect(daemon.standardError.contains("c***@example.com"))
      expectClean("log", daemon.standardError)
      #expect(!daemon.standardError.contains("\u{1B}"))
      daemon.signal(SIGTERM)
      try await daemon.wait()
    }
  }
}
