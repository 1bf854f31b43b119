import PartnersSandbox
import TestHosts
import Testing

@testable import conversiond

/// Addresses that were pasted: marks that show nothing, and letters of one address written in two ways.
@Suite struct InvisibleMarksTests {
  @Test func anAddressPastedWithInvisibleMarksIsMatched() async throws {
    let pasted = [
      #"U&'\202Aana1@example.com\202C'"#, #"U&'\200Fana2@example.com'"#, #"U&'ana3@example.com\200E'"#,
      #"U&'\2066ana4@example.com\2069'"#, #"U&'\2067ana5\2068@example.com'"#, #"U&'an\200Da6@example.com'"#,
      #"U&'ana7@exa\00ADmple.com'"#, #"U&'\FEFFana8@example.com\200B'"#, #"U&'\039D\03AF\03BA\03BF\03C29@example.com'"#,
    ]
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put((1...8).map { SandboxReferral("r\($0)", email: "ana\($0)@example.com") })
      try await shop.sandbox.put([SandboxReferral("r9", email: "νίκοσ9@example.com")])
      for (index, text) in pasted.enumerated() {
        try await shop.database.execute(
          """
          INSERT INTO orders VALUES (\(index + 1), \(text), NULL, NULL, 1000, 'EUR', 'paid', now() - interval '1 day')
          """)
      }
      try await shop.start()
      let expected = Dictionary(uniqueKeysWithValues: (1...9).map { ("\($0)", "reported") })
      #expect(await shop.reaches(expected))
      #expect(Set(await shop.sandbox.state.converted.map(\.referralID)) == Set((1...9).map { "r\($0)" }))
    }
  }

  @Test func twoReferralsThatDifferInMarksAloneWaitForAPersonAndBothStayOpen() async throws {
    try await DaemonFixture.with { shop in
      try await shop.sandbox.put([
        SandboxReferral("r1", email: "ana@example.com", daysAgo: 3),
        SandboxReferral("r2", email: "an\u{200D}a@example.com", daysAgo: 2),
        SandboxReferral("r3", email: "straße@example.com"), SandboxReferral("r4", email: "strasse@example.com"),
      ])
      try await shop.insert(
        ShopOrder(1, email: "ana@example.com"), ShopOrder(2, email: "STRAẞE@example.com"),
        ShopOrder(3, email: "strasse@example.com"))
      try await shop.start()
      #expect(await shop.reaches(["1": "review: ambiguous_address", "2": "reported", "3": "reported"]))
      try await shop.stop()
      try await shop.start()
      #expect(await shop.reaches(["1": "review: ambiguous_address"]))
      #expect(Set(await shop.sandbox.state.converted.map(\.referralID)) == ["r3", "r4"])
    }
  }
}
