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
  repeated: Bool = false, known: Timestamp? = epoch
) -> DecisionContext {
  DecisionContext(
    now: now, firstSeenAt: epoch, hadQualified: hadQualified, idIsRepeated: repeated, referralsKnownTo: known,
    mirrorCompleteSince: complete, isCatchingUp: catchingUp)
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

  @Test(arguments: ["an\u{200D}a@example.com", "\u{FEFF}ana@example.com", "\u{202A}ana@example.com\u{202C}"])
  func twoReferralsThatDifferInMarksAloneAreForAPerson(other: String) {
    let plain = referral("plain", created: epoch - day * 2)
    for choose in AttributionRules.Choice.allCases {
      let decision = decide(order(), [plain, referral("marked", email: other)], rules(choose: choose))
      #expect(decision.reason == "ambiguous_address" && decision.outcome == .review && decision.claims)
      #expect(decision.detail?.contains("plain") == true && decision.detail?.contains("marked") == true)
    }
    // Alone it is the friend's.
    #expect(decide(order(), [referral("marked", email: other)], rules()).outcome == .queued)
    #expect(decide(order(email: other), [plain], rules()).outcome == .queued)
  }

  @Test func twoReferralsOfLettersThatFoldAreForAPerson() {
    let pairs = [
      ("νίκος@example.com", "νίκοσ@example.com"), ("JÜRGEN@example.com", "jürgen@example.com"),
      ("\u{17F}am@example.com", "sam@example.com"), ("ana@bücher.example", "ana@xn--bcher-kva.example"),
    ]
    for (one, other) in pairs {
      let found = [referral("a", email: one), referral("b", email: other)]
      #expect(decide(order(email: one), found, rules()).reason == "ambiguous_address", "\(one)")
    }
  }

  @Test func capitalsSpaceAndAccentsAreNoDoubt() {
    for other in ["ANA@Example.com", " ana@example.com\n"] {
      let found = [referral("a", created: epoch - day * 2), referral("b", email: other)]
      #expect(decide(order(), found, rules()).referralID?.text == "a", "\(other)")
    }
    // Canonically equivalent, as the Kelvin sign is to K: Unicode's two ways to write one text.
    let accents = [referral("a", email: "zo\u{E9}@example.com"), referral("b", email: "zoe\u{301}@example.com")]
    #expect(decide(order(email: "zo\u{E9}@example.com"), accents, rules()).outcome == .queued)
  }

  @Test func aDoubtBelowTheChosenKeyOrOutsideItsTimeIsNone() {
    let marked = referral("marked", email: "an\u{200D}a@example.com")
    let byID = referral("id", email: "bob@example.com", external: "lead_1")
    #expect(decide(order(external: "lead_1"), [byID, referral("plain"), marked], rules()).referralID?.text == "id")
    let late = referral("late", email: "an\u{200D}a@example.com", created: epoch + day)
    #expect(decide(order(), [referral("plain"), late], rules()).outcome == .queued)
  }

  private func decide(_ order: Order, _ referrals: [MirroredReferral], _ rules: AttributionRules) -> Decision {
    rules.decide(order, among: referrals, context: context()) { _ in nil }
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

  @Test func aHeldOrderSaysWhyAndUntilWhen() {
    let day0 = Timestamp(utcYear: 2026, month: 11, day: 28)
    var placed = order(placed: day0)
    let found = [referral("r", created: day0 - day)]
    placed.placedAt = PlacedAt(earliest: day0, latest: day0 + day - .microseconds(1))
    func decide(_ order: Order, hold: Duration) -> Decision {
      rules(hold: hold).decide(order, among: found, context: context(now: day0 + .seconds(60))) { _ in nil }
    }
    let byDay = decide(placed, hold: .zero)
    #expect(byDay.outcome == .held && byDay.reason == "hold")
    #expect(
      byDay.detail
        == "placed on a day without a time: it is held until that day has ended, 2026-11-28T23:59:59Z")
    #expect(decide(placed, hold: day).detail?.hasSuffix("from the end of that day, until 2026-11-29T23:59:59Z") == true)
    let held = decide(order(placed: day0), hold: day)
    #expect(held.reason == "hold" && held.detail == "held for reporting.hold, until 2026-11-29T00:00:00Z")
    #expect(decide(order(placed: day0), hold: .zero).reason == nil)
  }

  @Test(arguments: [
    ("ann@example.com", "ann+shop@example.com"), ("ann+1@example.com", "ANN+2@Example.com"),
    ("ann.lee@gmail.com", "annlee@googlemail.com"), ("a.n.n@googlemail.com", "Ann+x@gmail.com"),
    ("ann@example.com", "an\u{200D}n@example.com"), ("  Ann@Example.com ", "ann@example.com"),
  ])
  func aReferrerIsRecognisedUnderAnotherSpelling(referrer: String, buyer: String) {
    let friend = referral("r", email: buyer, referrer: referrer)
    #expect(decide(order(email: buyer), [friend], rules()).reason == "self_referral")
    #expect(decide(order(email: buyer), [friend], rules(selfReferral: .report)).outcome == .queued)
    let byID = referral("r", email: "bob@example.com", external: "lead_1", referrer: referrer)
    #expect(decide(order(email: buyer, external: "lead_1"), [byID], rules()).reason == "self_referral")
    let asCustomer = order(email: "eve@example.com", external: "lead_1", customer: buyer)
    #expect(decide(asCustomer, [byID], rules()).reason == "self_referral")
    // The friend is the referrer, whatever address the order has.
    let own = referral("r", email: buyer, external: "lead_1", referrer: referrer)
    #expect(decide(order(email: "eve@example.com", external: "lead_1"), [own], rules()).reason == "self_referral")
  }

  @Test(arguments: [
    ("ann@example.com", "ann@example.org"), ("ann.lee@example.com", "annlee@example.com"),
    ("ann@example.com", "anna@example.com"), ("+ann@example.com", "+bob@example.com"),
    ("ann@gmail.com", "ann@example.com"), ("cust_42", "ann@example.com"),
  ])
  func anotherPersonIsNoSelfReferral(referrer: String, buyer: String) {
    let found = [referral("r", email: buyer, referrer: referrer)]
    #expect(decide(order(email: buyer, customer: "cust_43"), found, rules()).outcome == .queued)
  }

  @Test func aCustomerIDIsComparedWithoutCase() {
    let found = [referral("r", referrer: "Cust_42")]
    #expect(decide(order(customer: " cUST_42"), found, rules()).reason == "self_referral")
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
