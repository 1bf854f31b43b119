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

/// Facts beside the row that a decision of these tests rests on.
private struct Circumstances {
  var context: DecisionContext
  var hadQualified = false
  var idIsRepeated = false
  var isGone = false
  var act: OperatorAct?
  var isOpenedByRules = false
}

private func context(
  now: Timestamp = epoch, complete: Timestamp? = epoch + day, hadQualified: Bool = false, catchingUp: Bool = false,
  repeated: Bool = false, known: Timestamp? = epoch + .microseconds(1), unknownTime: ClosedRange<Timestamp>? = nil,
  isTimeConfirmed: Bool = true
) -> Circumstances {
  Circumstances(
    context: DecisionContext(
      now: now, openWalkBeganAt: known, mirrorCompleteSince: complete, isCatchingUp: catchingUp,
      unknownTime: unknownTime, isTimeConfirmed: isTimeConfirmed),
    hadQualified: hadQualified, idIsRepeated: repeated)
}

extension AttributionRules {
  fileprivate func decide(
    _ order: Order, among referrals: [MirroredReferral], context: Circumstances,
    holder: (ReferralID) -> DecisionContext.Holder? = { _ in nil }
  ) -> Decision {
    let facts = OrderFacts(
      row: .readable(order), isGone: context.isGone, firstSeenAt: epoch, hadQualified: context.hadQualified,
      idIsRepeated: context.idIsRepeated, act: context.act, isOpenedByRules: context.isOpenedByRules)
    return decide(facts, among: referrals, context: context.context, holder: holder)
  }
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

  /// Superseded is final, so it is said only after a walk of the open referrals that began after the order was seen.
  @Test(arguments: [(Int?.none, false), (-1, false), (0, false), (1, true), (99, true)])
  func supersededRestsOnALaterWalkOfTheOpenReferrals(known: Int?, isFinal: Bool) {
    let decision = rules().decide(
      order(), among: [referral("first", .converted)],
      context: context(now: epoch + .seconds(100), known: known.map { epoch + .seconds($0) }))
    #expect(decision.outcome == (isFinal ? .superseded : .waiting))
    #expect(decision.reason == (isFinal ? "already_converted" : "mirror_behind"))
    #expect(decision.lookAgainAt == nil && !decision.claims)
    #expect(decision.referralID?.text == "first" && decision.detail?.contains("first") == true)
  }

  /// The conversions of a time that the ledger knows nothing of, and what they say of an order of 500 cents.
  @Test(arguments: [
    (Int64(500), 10, Outcome.reported), (501, 10, .superseded), (500, 99, .superseded), (500, -1, .superseded),
  ])
  func aConversionOfUnknownTimeWithTheOrdersValueIsOurs(value: Int64, at: Int, outcome: Outcome) {
    var converted = referral("r", .converted)
    (converted.convertedAt, converted.conversionValue) = (epoch + .seconds(at), value)
    let circumstances = context(now: epoch + .seconds(100), unknownTime: (epoch - day)...(epoch + .seconds(50)))
    let decision = rules().decide(order(), among: [converted], context: circumstances)
    #expect(decision.outcome == outcome)
    #expect((decision.reason == "evidence_api") == (outcome == .reported))
  }

  @Test func anOperatorsWordStandsWhateverElseIsKnown() {
    var discarded = context()
    discarded.act = OperatorAct(kind: .discard, reason: "fraud", actor: "alice", actedAt: epoch)
    let decision = rules().decide(order(), among: [referral("r")], context: discarded)
    #expect(decision.outcome == .discarded && decision.detail == "fraud" && !decision.claims)
    var held = context()
    held.act = OperatorAct(kind: .hold, reason: nil, actor: "alice", actedAt: epoch)
    let waiting = rules().decide(order(), among: [referral("r")], context: held)
    #expect(waiting.outcome == .held && waiting.reason == "operator" && waiting.claims && waiting.lookAgainAt == nil)
    #expect(rules().decide(order(total: .null), among: [referral("r")], context: held).reason == "invalid_amount")
  }

  @Test func whatOnlyChangedRulesMadeSendableIsHeld() {
    var opened = context()
    opened.isOpenedByRules = true
    let decision = rules().decide(order(), among: [referral("r")], context: opened)
    #expect(decision.outcome == .held && decision.reason == "rules_changed" && decision.value == 500)
    #expect(rules(hold: day).decide(order(), among: [referral("r")], context: opened).reason == "hold")
  }

  @Test func aRowThatIsGoneIsCancelledUnlessItWasDiscarded() {
    var gone = context(hadQualified: true)
    gone.isGone = true
    #expect(rules().decide(order(), among: [referral("r")], context: gone).reason == "gone")
    gone.act = OperatorAct(kind: .discard, reason: nil, actor: "alice", actedAt: epoch)
    #expect(rules().decide(order(), among: [referral("r")], context: gone).outcome == .discarded)
  }

  @Test func anExpiredOneTakesNoPartOnlyIfItSurelyExpiredBefore() {
    let before = referral("old", .expired, created: epoch - day * 20, seen: epoch - day)
    #expect(chosen(order(), [before, referral("new")], rules()) == "new")
    let doubtful = referral("old", .expired, created: epoch - day * 20, seen: epoch + day)
    let decision = rules().decide(order(), among: [doubtful, referral("new")], context: context()) { _ in nil }
    #expect(decision.outcome == .review && decision.reason == "referral_expired")
    let early = rules().decide(order(), among: [doubtful], context: context(known: epoch))
    #expect(early.outcome == .waiting && early.reason == "mirror_behind", "another one may be the order's")
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

  /// A time zone that is not the column's.
  @Test(arguments: [
    (1, "1 minute"), (58, "58 minutes"), (119, "119 minutes"), (120, "2 hours"), (720, "12 hours"), (4320, "3 days"),
  ])
  func anOrderOfTheFutureAsksForTheTimeZone(minutes: Int, words: String) {
    let now = Timestamp(utcYear: 2026, month: 11, day: 28)
    let placed = now + .seconds(minutes * 60 + 2)
    for hold in [Duration.zero, day] {
      let decision = rules(hold: hold).decide(
        order(placed: placed), among: [referral("r", created: now - day)], context: context(now: now)
      ) { _ in nil }
      #expect(decision.outcome == .held && decision.reason == "hold")
      let expected = "placed \(words) in the future: is orders.time_zone right? It is held until "
      #expect(decision.detail?.hasPrefix(expected) == true, "\(decision.detail ?? "-")")
    }
  }

  @Test func anOrderOfThisMomentAsksForNothing() {
    let now = Timestamp(utcYear: 2026, month: 11, day: 28)
    let decision = rules().decide(
      order(placed: now + .seconds(30)), among: [referral("r", created: now - day)], context: context(now: now)
    ) { _ in nil }
    #expect(decision.detail?.hasPrefix("placed in this very moment") == true)
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

  /// An order behind another one that needs a person tells what to do about that one.
  @Test(
    arguments: [(.review, "other_currency", true), (.held, "operator", true), (.queued, nil, false)]
      as [(Outcome, String?, Bool)])
  func theScreenSaysWhatToDoAboutTheHolder(outcome: Outcome, reason: String?, isSaid: Bool) {
    let holder = DecisionContext.Holder(
      entry: EntryID(7), key: OrderKey("1"), orderID: "order_77", placedAt: order().placedAt, outcome: outcome,
      reason: reason, isFrozen: true)
    let decision = rules().decide(order("2"), among: [referral("r")], context: context()) { _ in holder }
    #expect(decision.detail?.contains("order order_77 (#7) holds referral r") == true)
    #expect(decision.detail?.contains("`conversiond queue show order_77`") == isSaid)
    #expect(decision.detail?.contains("`conversiond queue discard order_77`") == isSaid)
  }

  @Test(arguments: [
    ("1042", "1042"), ("#1042", "'#1042'"), ("A 7", "'A 7'"), ("-5", "'#7'"), ("ALL", "'#7'"), ("it's", "'#7'"),
    ("\u{1B}[2J", "'#7'"), ("F-2026/11", "F-2026/11"), ("Ärger", "'#7'"),
  ])
  func anOrderIsNamedAsAShellTakesIt(id: String, word: String) {
    let holder = DecisionContext.Holder(
      entry: EntryID(7), key: OrderKey("1"), orderID: id, placedAt: order().placedAt, outcome: .review, isFrozen: false)
    #expect(holder.nameInShell == word)
  }
}
