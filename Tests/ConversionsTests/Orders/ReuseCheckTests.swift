import Conversions
import Testing

/// Tells a reported order that was corrected from another one under its ID.
@Suite struct ReuseCheckTests {
  private static let placed = Timestamp(milliseconds: 1_765_000_000_000)
  private static let day = Duration.seconds(86_400)

  /// A reported order's buyer, what its row shows later of time and buyer, and the verdict.
  struct Case: Sendable {
    var reported: [String?] = ["ana@example.com", nil, nil]
    var shown: [String?] = ["ana@example.com", nil, nil]
    var after = ReuseCheckTests.day * 30
    var isOther: Bool
  }

  @Test(arguments: [
    Case(isOther: false),
    Case(shown: ["bob@example.com", nil, nil], isOther: true),
    Case(shown: ["bob@example.com", nil, nil], after: .zero, isOther: false),
    Case(shown: ["bob@example.com", nil, nil], after: .microseconds(1), isOther: true),
    Case(shown: ["bob@example.com", nil, nil], after: .microseconds(-1), isOther: true),
    // One value of the buyer that stayed is enough.
    Case(reported: ["ana@example.com", "lead_1", nil], shown: ["bob@example.com", "lead_1", nil], isOther: false),
    Case(reported: ["ana@example.com", "lead_1", "7"], shown: ["bob@example.com", "lead_2", "8"], isOther: true),
    // Values of different kinds are not compared: the time alone tells.
    Case(shown: [nil, "lead_1", nil], after: .seconds(26 * 3600), isOther: false),
    Case(shown: [nil, "lead_1", nil], after: .seconds(26 * 3600 + 1), isOther: true),
    Case(shown: [nil, nil, nil], after: .seconds(-26 * 3600), isOther: false),
    Case(shown: [nil, nil, nil], after: .seconds(-26 * 3600 - 1), isOther: true),
    Case(reported: [nil, nil, nil], isOther: true),
  ])
  func theTimeAndTheBuyerTell(_ test: Case) {
    let check = ReuseCheck(
      placedFrom: Self.placed, email: test.reported[0], externalSourceID: test.reported[1],
      customerID: test.reported[2])
    #expect(check.isOther(order(test.shown, Self.placed + test.after)) == test.isOther)
  }

  @Test func aTimeThatCouldNotBeReadTellsNothing() {
    let check = ReuseCheck(placedFrom: nil, email: "ana@example.com", externalSourceID: nil, customerID: nil)
    #expect(!check.isOther(order(["bob@example.com", nil, nil], Self.placed)))
  }

  @Test func timesThatNoDurationFitsBetweenAreFarApart() {
    let first = Timestamp(microseconds: .min)
    let check = ReuseCheck(placedFrom: first, email: nil, externalSourceID: nil, customerID: nil)
    #expect(check.isOther(order([nil, nil, nil], Timestamp(microseconds: .max))))
  }

  private func order(_ buyer: [String?], _ placed: Timestamp) -> Order {
    Order(
      key: OrderKey("1"), transactionID: transactionID("1"), email: buyer[0].flatMap(EmailAddress.init),
      externalSourceID: buyer[1].flatMap(ExternalSourceID.init), customerID: buyer[2], qualifies: true,
      placedAt: PlacedAt(earliest: placed, latest: placed))
  }
}
