import Conversions
import Testing

private let day = Duration.seconds(86_400)
private let epoch = Timestamp(milliseconds: 1_765_000_000_000)

private func rules(
  keys: [MatchingKey] = [.externalSourceID, .email], choose: AttributionRules.Choice = .first,
  selfReferral: AttributionRules.SelfReferral = .review, hold: Duration = .zero
) -> AttributionRules {
  AttributionRules(
    keys: keys, choose: choose, attributionWindow: day * 90, waitForReferral: day * 14, selfReferral: selfReferral,
    hold: hold, amounts: AmountRules(unit: .cents, rounding: .refuse, otherCurrency: .review))
}

private func order(
  _ key: String = "1", email: String? = "ana@example.com", external: String? = nil, customer: String? = nil,
  total: OrderTotal = .amount("500", currency: "EUR"), qualifies: Bool = true, placed: Timestamp = epoch
) -> Order {
  Order(
    key: OrderKey(key), transactionID: transactionID("order_\(key)"),
    email: email.flatMap(EmailAddress.init), externalSourceID: external.flatMap(ExternalSourceID.init),
    customerID: customer, total: total, qualifies: qualifies, placedAt: PlacedAt(earliest: placed, latest: placed))
}

/// An ID that a test knows to be a valid one.
func transactionID(_ text: String) -> TransactionID {
  guard let id = TransactionID(text) else { fatalError("\(text) is no transaction ID") }
  return id
}

private func referral(
  _ id: String, _ status: ReferralStatus = .pending, email: String? = "ana@example.com", external: String? = nil,
  referrer: String? = "cust_42", created: Timestamp = epoch - day, seen: Timestamp = epoch
) -> MirroredReferral {
  MirroredReferral(
    Referral(
      id: ReferralID(id), status: status, friendEmail: email, createdAt: created, referrerIdentifier: referrer,
      externalSourceID: external), seenAt: seen)
}

private func context(
  now: Timestamp = epoch, complete: Timestamp? = epoch + day, hadQualified: Bool = false, catchingUp: Bool = false,
  repeated: Bool = false, known: Timestamp? = epoch, isTimeConfirmed: Bool = true
) -> DecisionContext {
  DecisionContext(
    now: now, firstSeenAt: epoch, hadQualified: hadQualified, idIsRepeated: repeated, referralsKnownTo: known,
    mirrorCompleteSince: complete, isCatchingUp: catchingUp, isTimeConfirmed: isTimeConfirmed)
}

@Suite struct AttributionTests {
  private func chosen(_ order: Order, _ referrals: [MirroredReferral], _ rules: AttributionRules) -> String? {
    Attribution(of: order, among: referrals.shuffled(), rules: rules).chosen?.referral.id.text
  }

  @Test func theExternalIDGoesBeforeTheEmail() {
    let byEmail = referral("mail", created: epoch - day * 5)
    let byID = referral("id", email: "bob@example.com", external: "lead_1", created: epoch - day)
    #expect(chosen(order(external: "lead_1"), [byEmail, byID], rules()) == "id")
    #expect(chosen(order(external: "lead_1"), [byEmail, byID], rules(keys: [.email])) == "mail")
    #expect(chosen(order(external: "LEAD_1"), [byEmail, byID], rules()) == "mail", "compared exactly")
    #expect(chosen(order(external: "lead_2"), [byID], rules()) == nil)
  }

  @Test func anUntimelyMatchByIDLeavesTheEmail() {
    let later = referral("id", email: nil, external: "lead_1", created: epoch + day)
    let result = Attribution(of: order(external: "lead_1"), among: [later, referral("mail")], rules: rules())
    #expect(result.chosen?.referral.id.text == "mail")
    #expect(result.candidates.map(\.verdict) == [.chosen, .placedBefore])
  }

  @Test func firstAndLastAreByTheTimeOfMaking() {
    let referrals = [
      referral("b", created: epoch - day * 2), referral("a", created: epoch - day),
      referral("c", created: epoch - day * 3),
    ]
    #expect(chosen(order(), referrals, rules(choose: .first)) == "c")
    #expect(chosen(order(), referrals, rules(choose: .last)) == "a")
    let tied = [referral("b"), referral("a")]
    #expect(chosen(order(), tied, rules(choose: .first)) == "a")
  }

  @Test func theWindowIncludesBothEnds() {
    #expect(chosen(order(), [referral("r", created: epoch)], rules()) == "r")
    #expect(chosen(order(), [referral("r", created: epoch + .milliseconds(1))], rules()) == nil)
    #expect(chosen(order(), [referral("r", created: epoch - day * 90)], rules()) == "r")
    #expect(chosen(order(), [referral("r", created: epoch - day * 90 - .milliseconds(1))], rules()) == nil)
  }

  @Test func theEndOfAGranuleCounts() {
    var sameDay = order()
    sameDay.placedAt = PlacedAt(earliest: epoch, latest: epoch + day - .microseconds(1))
    #expect(chosen(sameDay, [referral("r", created: epoch + day - .milliseconds(1))], rules()) == "r")
  }

  @Test func convertedOnesTakePartAndThereIsNoFallingThrough() {
    let decision = rules().decide(
      order(), among: [referral("first", .converted, created: epoch - day * 2), referral("second")], context: context()
    ) { _ in nil }
    #expect(decision.outcome == .superseded)
    #expect(decision.referralID?.text == "first")
    #expect(decision.candidates.map(\.verdict) == [.chosen, .notPreferred])
  }

  /// Up to when the referrals are known, for how long an order waited that was seen at 0, and for how long it waits then;
  /// in seconds, nil where it need not.
  private static let waits: [(known: Int?, waited: Int, again: Int?)] = [
    (nil, 0, 15), (-1, 0, 15), (-1, 60, 15), (-1, 100, 25), (-1, 400_000, 3600), (0, 100, nil), (99, 100, nil),
  ]

  /// It is final, so it is not said before everybody is known whose the order may be.
  @Test(arguments: waits)
  func supersededIsNotSaidBeforeTheHorizonIsReached(known: Int?, waited: Int, again: Int?) {
    let now = epoch + .seconds(waited)
    let decision = rules().decide(
      order(), among: [referral("first", .converted)],
      context: context(now: now, known: known.map { epoch + .seconds($0) })
    ) { _ in nil }
    #expect(decision.outcome == (again == nil ? .superseded : .waiting))
    #expect(decision.reason == (again == nil ? "already_converted" : "mirror_behind"))
    #expect(decision.lookAgainAt == again.map { now + .seconds($0) } && !decision.claims)
    #expect(decision.referralID?.text == "first" && decision.detail?.contains("first") == true)
  }

  @Test func anExpiredOneTakesNoPartOnlyIfItSurelyExpiredBefore() {
    let before = referral("old", .expired, created: epoch - day * 20, seen: epoch - day)
    #expect(chosen(order(), [before, referral("new")], rules()) == "new")
    let doubtful = referral("old", .expired, created: epoch - day * 20, seen: epoch + day)
    let decision = rules().decide(order(), among: [doubtful, referral("new")], context: context()) { _ in nil }
    #expect(decision.outcome == .review && decision.reason == "referral_expired")
  }

  @Test func selfReferralsWaitForAPerson() {
    for mine in [order(customer: "cust_42"), order(email: "cust@example.com")] {
      let mirror = referral("r", email: mine.email?.text, referrer: mine.customerID ?? " Cust@Example.com")
      #expect(rules().decide(mine, among: [mirror], context: context()) { _ in nil }.reason == "self_referral")
      let reporting = rules(selfReferral: .report).decide(mine, among: [mirror], context: context()) { _ in nil }
      #expect(reporting.outcome == .queued)
    }
  }

  @Test(arguments: [(".", true), ("..", true), ("", true), (String(repeating: "x", count: 513), true), ("..a", false)])
  func aReferralThatNoURLCanNameIsForAPerson(id: String, isRefused: Bool) {
    let decision = rules().decide(order(), among: [referral(id)], context: context()) { _ in nil }
    #expect(decision.outcome == (isRefused ? .review : .queued))
    #expect(decision.reason == (isRefused ? "rejected" : nil))
    #expect(ReferralID(id).fitsURL == !isRefused)
  }

  @Test func amountsAreJudgedOnlyOnceMatched() {
    let broken = order(total: .null)
    #expect(rules().decide(broken, among: [], context: context()) { _ in nil }.outcome == .waiting)
    let decision = rules().decide(broken, among: [referral("r")], context: context()) { _ in nil }
    #expect(decision.reason == "invalid_amount" && decision.claims)
  }

  @Test func nothingEndsByAClockThatNobodyConfirms() {
    let (late, unmatched) = (epoch + day * 15, [] as [MirroredReferral])
    for isTimeConfirmed in [true, false] {
      let then = context(now: late, isTimeConfirmed: isTimeConfirmed)
      let held = rules(hold: day).decide(order(), among: [referral("r")], context: then) { _ in nil }
      #expect(held.outcome == (isTimeConfirmed ? .queued : .held))
      let alone = rules().decide(order(), among: unmatched, context: then) { _ in nil }
      #expect(alone.outcome == (isTimeConfirmed ? .noReferral : .waiting))
      #expect(isTimeConfirmed || alone.reason == "clock_unconfirmed")
      for decision in [held, alone] where !isTimeConfirmed { #expect(decision.lookAgainAt == late + .seconds(60)) }
    }
  }

  @Test func holdCountsFromPlacing() {
    let held = rules(hold: day).decide(order(), among: [referral("r")], context: context()) { _ in nil }
    #expect(held.outcome == .held && held.lookAgainAt == epoch + day)
    let over = rules(hold: day).decide(order(), among: [referral("r")], context: context(now: epoch + day)) { _ in nil }
    #expect(over.outcome == .queued && over.value == 500)
  }

  @Test func noReferralIsSaidOnlyAfterALaterCompleteSweep() {
    let late = epoch + day * 15
    #expect(rules().decide(order(), among: [], context: context()) { _ in nil }.reason == "no_referral_yet")
    let undecided = rules().decide(order(), among: [], context: context(now: late, complete: epoch)) { _ in nil }
    #expect(undecided.outcome == .waiting && undecided.reason == "mirror_incomplete")
    #expect(
      rules().decide(order(), among: [], context: context(now: late, complete: nil)) { _ in nil }.outcome == .waiting)
    #expect(rules().decide(order(), among: [], context: context(now: late)) { _ in nil }.outcome == .noReferral)
    let outside = referral("r", created: epoch + day)
    #expect(
      rules().decide(order(), among: [outside], context: context(now: late)) { _ in nil }.outcome == .outsideWindow)
  }

  @Test func stoppingToQualifyCancels() {
    let unpaid = order(qualifies: false)
    #expect(rules().decide(unpaid, among: [referral("r")], context: context()) { _ in nil }.outcome == .notQualifying)
    let decision = rules().decide(unpaid, among: [referral("r")], context: context(hadQualified: true)) { _ in nil }
    #expect(decision.outcome == .cancelled)
  }

  @Test func aRepeatedIDIsForAPerson() {
    let decision = rules().decide(order(), among: [referral("r")], context: context(repeated: true)) { _ in nil }
    #expect(decision.reason == "id_repeated" && !decision.claims)
  }

  @Test(arguments: [
    // (the other's key, placed how much later than mine, outcome, frozen, catching up) -> whether mine takes over
    ("2", 1, Outcome.queued, false, true, true), ("2", -1, .queued, false, true, false),
    ("2", 0, .queued, false, true, true), ("10", 0, .queued, false, true, true), ("0", 0, .queued, false, true, false),
    ("2", 1, .queued, false, false, false), ("2", 1, .held, false, false, true), ("2", 1, .queued, true, true, false),
    ("2", 1, .reported, true, true, false),
  ])
  func rivalsWaitBehindTheChosenOne(
    key: String, later: Int, outcome: Outcome, frozen: Bool, catchingUp: Bool, takesOver: Bool
  ) {
    let placed = epoch + .seconds(later)
    let holder = DecisionContext.Holder(
      entry: EntryID(7), key: OrderKey(key), placedAt: PlacedAt(earliest: placed, latest: placed), outcome: outcome,
      isFrozen: frozen)
    let decision = rules().decide(order(), among: [referral("r")], context: context(catchingUp: catchingUp)) { _ in
      holder
    }
    #expect((decision.outcome == .queued) == takesOver)
    #expect(takesOver || decision.reason == "behind_other_order")
  }
}
