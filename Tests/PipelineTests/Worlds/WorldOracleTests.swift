import Testing

@testable import WorldOracle

/// The oracle, too, is judged: by cases that were worked out by hand.
struct WorldOracleTests {
  private static let day: Int64 = 86_400_000
  private static let ana = ReferralFact(
    id: "r1", status: "pending", email: "Ana@example.com ", external: "lead_1", referrer: "c1", madeAt: 0)
  private static let click = ReferralFact(
    id: "r2", status: "clicked", email: "ana@example.com", external: nil, referrer: "bob@example.com", madeAt: day)
  private static let order = OrderFact(
    id: "o1", email: " ana@EXAMPLE.com", external: nil, cents: 500, qualifies: true, placedAt: 2 * day)
  private static let payment = Payment(order: "o1", referral: "r1", cents: 500)

  private typealias Change = @Sendable (inout WorldFacts) -> Void

  private static let wrong: [(String, Change)] = [
    ("the order does not qualify", { $0.orders[0].qualifies = false }),
    ("the order's value is 501", { $0.orders[0].cents = 501 }),
    ("the order is on hold", { $0.now = 3 * Self.day - 1 }),
    ("0 rows have this ID", { $0.orders = [] }),
    ("2 rows have this ID", { $0.orders.append($0.orders[0]) }),
    ("the order was paid", { $0.paid = [Payment(order: "o1", referral: "r9", cents: 1)] }),
    ("the referral was paid for", { $0.paid = [Payment(order: "o9", referral: "r1", cents: 1)] }),
    ("an operator discarded the order", { $0.discarded = ["o1"] }),
    ("an operator holds the order", { $0.held = ["o1"] }),
    ("the order's referral is r2", { $0.rules.takesLast = true }),
    ("the order's referral is r2", { $0.referrals[0].email = "anna@example.com" }),
    ("the order's referral is r2", { $0.referrals[0].madeAt = 2 * Self.day + 1 }),
    ("the order's referral is r2", { ($0.orders[0].external, $0.referrals[1].external) = ("a", " a ") }),
    ("no referral is the order's", { $0.rules.window = Self.day - 1 }),
    ("no referral is the order's", { ($0.orders[0].external, $0.rules.keys) = ("Lead_1", [.external]) }),
    ("the referral is converted", { $0.referrals[0].status = "converted" }),
    (
      "the referral is expired", { ($0.referrals[0].status, $0.referrals[0].expiredAt) = ("expired", 2 * Self.day + 1) }
    ),
    ("the buyer is the referrer", { $0.referrals[0].referrer = "ANA@example.com" }),
  ]

  private func facts(_ change: (inout WorldFacts) -> Void = { _ in }) -> WorldFacts {
    var facts = WorldFacts(
      now: 3 * Self.day, referrals: [Self.ana, Self.click], ghosts: [], orders: [Self.order],
      rules: RuleFacts(
        keys: [.external, .email], takesLast: false, window: 90 * Self.day, hold: Self.day, reviewsSelf: true),
      discarded: [], held: [], paid: [])
    change(&facts)
    return facts
  }

  @Test func whatIsRightIsDue() {
    #expect(facts().objection(to: Self.payment) == nil)
    #expect(facts().due == [Self.payment])
  }

  @Test(arguments: wrong)
  private func whatIsWrongIsNot(objection: String, change: Change) {
    let facts = facts(change)
    #expect(facts.objection(to: Self.payment) == objection)
    #expect(!facts.due.contains(Self.payment))
  }

  @Test func whatIsOpenIsNotDue() {
    #expect(facts { $0.referrals[1].status = "expired" }.due == [])
    #expect(
      facts {
        $0.ghosts = [Self.ana]; $0.referrals = [Self.click]
      }.due == [])
    let rival = OrderFact(
      id: "o2", email: "ana@example.com", external: nil, cents: 1, qualifies: true, placedAt: 2 * Self.day)
    #expect(facts { $0.orders.append(rival) }.due.count == 2)
    #expect(
      facts {
        $0.orders.append(rival); $0.held = ["o2"]
      }.due == [])
  }
}
