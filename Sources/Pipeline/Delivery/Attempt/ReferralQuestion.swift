import Conversions
import Logging

/// The question to the API right before an order's first send: the referrals that hold its keys at this moment.
///
/// The mirror is never fresh enough for what can't be taken back: a referral 40 days old that gained its external
/// source ID a second before the order was missed by it, and another referrer paid. Each key is searched for, one page,
/// and what comes back is compared exactly. One known to hold a key that does not come back is fetched; so is the
/// chosen referral. If the search can't be believed, the order waits for a complete walk of the open referrals that
/// began after it was seen.
final class ReferralQuestion: Sendable {
  /// The time for which an answer is good.
  static let answerLasts = Duration.seconds(5)
  /// The longest that an answer may take: a later one is too old when it comes.
  private static let answerMax = Duration.seconds(4)
  /// The time for which an order waits whose question had no answer.
  static let wait = Duration.seconds(15)
  /// The reason of an order that waits for a walk.
  static let unconfirmed = QueuedReason.referralsUnconfirmed.rawValue
  /// The most referrals that are fetched for one question.
  private static let fetchesMax = 5

  private let context: PipelineContext
  private let rules: AttributionRules
  private var doubts: SearchDoubts { context.searchDoubts }

  init(_ context: PipelineContext, rules: AttributionRules) {
    (self.context, self.rules) = (context, rules)
  }

  /// An order whose referrals are known, and the uptime from which on they are.
  struct Answered: Sendable {
    let order: LedgerOrder
    let askedAt: Duration
  }

  /// Asks, and decides the order anew by what came back.
  ///
  /// - Returns: The order as it stands then; nil where it is not to be sent now.
  /// - Throws: `SendingRefusal`, `LookFailure`, `LedgerFailure`, or `CancellationError`.
  func ask(before order: LedgerOrder) async throws -> Answered? {
    try await ReadPriority.$current.withValue(.question) { try await askNow(before: order) }
  }

  private func askNow(before order: LedgerOrder) async throws -> Answered? {
    let askedAt = context.clock.uptime
    // Bytes that may have been taken are sent again, whatever the referrals are now.
    guard !order.mayHaveBeenDone else { return Answered(order: order, askedAt: askedAt) }
    // Asks nothing: the repeated searches of a few dozen orders would take all reads from the walk they wait for.
    if order.reason == Self.unconfirmed, try await !isWalked(since: order.sendableSince) {
      try await postpone(order, reason: Self.unconfirmed, order.detail ?? "it waits for a walk of the open referrals")
      context.mirrorWake.notify()
      return nil
    }
    var asked = Asked(order: order)
    do {
      let fault = try await searchAll(&asked)
      if let rival = await unreadableHolder(order) {
        let words =
          "referral \(rival.id?.text ?? "without an ID"), which holds a key of it, can't be read: \(rival.fault)"
        try await postpone(order, reason: QueuedReason.referralUnreadable.rawValue, words)
        return nil
      }
      if let fault, try await !isWalked(since: order.sendableSince) {
        try await awaitWalk(order, fault)
        return nil
      }
      guard let decided = try await decidedAgain(order.entry) else { return nil }
      guard let id = decided.referralID, !asked.seen.contains(id) else {
        return Answered(order: decided, askedAt: askedAt)
      }
      try await fetch(id, &asked)
      return try await decidedAgain(order.entry).map { Answered(order: $0, askedAt: askedAt) }
    } catch is CancellationError where !Task.isCancelled {
      try await postpone(order, reason: LookFailure.reason, "asked for its referrals: cancelled")
      return nil
    }
  }

  /// The results of one question so far.
  private struct Asked {
    let order: LedgerOrder
    /// The referrals that the API showed.
    var seen: Set<ReferralID> = []
    /// The kinds of keys of which a search showed a holder.
    var found: Set<MatchingKey> = []
  }

  /// Returns a referral that can't be read and holds a key of an order.
  private func unreadableHolder(_ order: LedgerOrder) async -> UnreadableReferral? {
    guard let readable = order.order else { return nil }
    return await context.referralWalks.unreadable(holding: keys(of: readable))
  }

  /// Returns the keys by which an order is matched, in the order of precedence, in normal form.
  private func keys(of order: Order) -> [(key: MatchingKey, text: String)] {
    rules.keys.compactMap { key in order.text(of: key).map { (key: key, text: $0) } }
  }

  /// Searches by each key.
  ///
  /// - Returns: The reason why the answers don't count; nil if they do.
  private func searchAll(_ asked: inout Asked) async throws -> String? {
    guard let readable = asked.order.order else { return nil }
    let keys = keys(of: readable)
    if let doubted = doubts.doubts(keys.map(\.key), at: context.clock.uptime) {
      return "the API's search by \(doubted.words) is not believed"
    }
    for (key, text) in keys {
      if let fault = try await search(key, text, &asked) { return fault }
    }
    return try await fetchLeftOut(keys, &asked)
  }

  /// Searches by one key, and takes in what comes back.
  private func search(_ key: MatchingKey, _ text: String, _ asked: inout Asked) async throws -> String? {
    guard text.count <= ReferralQuery.searchMax else { return "its \(key.words) is too long to search for" }
    // Refuses an encoded domain: the API may have it as people write it, which no text here need be equal to.
    guard key != .email || !text.contains("xn--") else { return "its domain has letters beyond ASCII" }
    let began = context.clock.uptime
    switch try await searchPage(text) {
    case .failure(let failure):
      // Asks for the order's own referral: if that is not answered either, it is not the search that fails.
      try await fetchChosen(&asked, or: failure)
      doubts.doubt(key, "\(failure)", context)
      return "the API's search by \(key.words) failed"
    case .success(let page):
      guard context.clock.uptime - began <= Self.answerMax else {
        doubts.doubt(key, "it answers after more than \(Self.answerMax)", context)
        return "the API's search by \(key.words) is too slow"
      }
      guard page.total <= page.referrals.count else { return "the API's search finds \(page.total) referrals" }
      asked.seen.formUnion(page.referrals.map(\.id))
      let holders = page.referrals.filter { $0.holds(key, text) }
      if !holders.isEmpty { asked.found.insert(key) }
      try await fetchUnknown(holders, &asked)
      if asked.found.contains(key) { doubts.prove(key, context) }
      return nil
    }
  }

  /// Fetches referrals that a search shows to hold a key and that are known without it: their own answer lately said
  /// so, and outranks lists, which may be late.
  private func fetchUnknown(_ holders: [Referral], _ asked: inout Asked) async throws {
    guard let readable = asked.order.order, !holders.isEmpty else { return }
    let known = try await context.ledger.transaction {
      Set(try $0.referrals(sharing: readable.email, readable.externalSourceID).map(\.id))
    }
    for referral in holders.prefix(Self.fetchesMax) where !known.contains(referral.id) {
      try await fetch(referral.id, &asked)
    }
  }

  /// Fetches referrals that are known to hold a key and did not come back: each was changed, or the search left it out.
  private func fetchLeftOut(_ keys: [(key: MatchingKey, text: String)], _ asked: inout Asked) async throws -> String? {
    guard let readable = asked.order.order else { return nil }
    let known = try await context.ledger.transaction {
      try $0.referrals(sharing: readable.email, readable.externalSourceID)
    }
    let missing = known.filter { !asked.seen.contains($0.id) && $0.goneAt == nil }
    guard missing.count <= Self.fetchesMax else { return "the API's search leaves out \(missing.count) referrals" }
    for referral in missing {
      guard let shown = try await fetch(referral.id, &asked) else { continue }
      for (key, text) in keys where shown.showsLiterally(key, text) {
        doubts.doubt(key, "it leaves out referral \(shown.id), which holds what was searched for", context)
        return "the API's search by \(key.words) leaves out what it should show"
      }
    }
    for (key, _) in keys where !asked.found.contains(key) && !doubts.isProven(key, at: context.clock.uptime) {
      guard try await prove(key, &asked) else {
        return "the API's search by \(key.words) has not shown that it finds any"
      }
    }
    return nil
  }

  /// Tests the search with a referral that is known to hold a key of a kind: one that finds nothing, whatever is asked
  /// for, would else be believed.
  private func prove(_ key: MatchingKey, _ asked: inout Asked) async throws -> Bool {
    guard doubts.takeTry(of: key, at: context.clock.uptime) else { return false }
    let sample = try await context.ledger.transaction { try $0.referral(holding: key) }
    guard let sample, let text = sample.text(of: key), case .success(let page) = try await searchPage(text),
      page.total <= page.referrals.count
    else { return false }
    if page.referrals.contains(where: { $0.holds(key, text) }) {
      doubts.prove(key, context)
      return true
    }
    guard let shown = try await fetch(sample.id, &asked), shown.showsLiterally(key, text) else { return false }
    doubts.doubt(key, "it leaves out referral \(sample.id), which holds what was searched for", context)
    return false
  }
}

extension ReferralQuestion {
  /// Reads one page of a search, and stores what it shows.
  private func searchPage(_ text: String) async throws -> Result<ReferralPage, ReadFailure> {
    var query = ReferralQuery()
    (query.search, query.pageSize) = (text, ReferralQuery.pageSizeMax)
    do {
      return .success(try await ReferralReader(context: context).page(query, priority: .question).page)
    } catch let failure as ReadFailure {
      if let reason = failure.haltReason(in: .question) { throw SendingRefusal(reason: reason, detail: "\(failure)") }
      return .failure(failure)
    }
  }

  /// Fetches one referral, and stores it; nil where the API doesn't know it: the send meets the same answer, and its
  /// verdict has the rules for it.
  @discardableResult
  private func fetch(_ id: ReferralID, _ asked: inout Asked) async throws -> Referral? {
    do {
      let referral = try await ReferralReader(context: context).referral(id)
      asked.seen.insert(id)
      return referral
    } catch let failure as ReadFailure {
      if let reason = failure.haltReason(in: .question) { throw SendingRefusal(reason: reason, detail: "\(failure)") }
      if failure.status == 404 {
        asked.seen.insert(id)
        return nil
      }
      throw LookFailure(order: asked.order, cause: failure)
    }
  }

  /// Fetches the order's own referral where a search failed; throws the search's failure where there is none.
  private func fetchChosen(_ asked: inout Asked, or failure: ReadFailure) async throws {
    guard failure.status != 429, let id = asked.order.referralID else {
      throw LookFailure(order: asked.order, cause: failure)
    }
    try await fetch(id, &asked)
  }

  /// Returns true if a complete walk of the open referrals began after a time.
  private func isWalked(since time: Timestamp) async throws -> Bool {
    try await ReferralReader(context: context).progress()
      .walkBegan(.open, now: context.clock.now).map { $0 > time } ?? false
  }

  private func awaitWalk(_ order: LedgerOrder, _ fault: String) async throws {
    let until = context.clock.now + Self.wait
    let words = "\(fault): it waits for a complete walk of the open referrals"
    try await context.ledger.transaction { transaction in
      try transaction.changeMirrorProgress { $0.wantOpenWalk(at: order.sendableSince) }
      try transaction.postpone(order.entry, until: until, reason: Self.unconfirmed, detail: words)
    }
    context.logPutOff(order, reason: Self.unconfirmed, words, until: until)
    context.mirrorWake.notify()
  }

  /// Takes in that an order's answers were too old each time: its searches take too long together. From now on a walk
  /// stands for them; without one the order would be asked for again at once, for ever.
  func noteLate(_ order: LedgerOrder) async throws {
    for key in rules.keys where order.order.flatMap({ $0.text(of: key) }) != nil {
      doubts.doubt(key, "its answers are more than \(Self.answerLasts) old when they can be used", context)
    }
    try await awaitWalk(order, "the API's searches are too slow")
  }

  /// Returns the order, decided by what is known now, if it is still to be sent.
  private func decidedAgain(_ entry: EntryID) async throws -> LedgerOrder? {
    let (rules, now, isConfirmed) = (rules, context.clock.now, context.clock.isConfirmed)
    let (again, decided) = try await context.ledger.transaction { transaction -> (LedgerOrder?, Decided?) in
      guard let order = try transaction.entry(entry), order.outcome == .queued else { return (nil, nil) }
      let decision = try OrderDecider(
        transaction, rules: rules, now: now, isTimeConfirmed: isConfirmed
      ).decide(order)
      if decision.outcome != .queued { try transaction.unfreeze(entry) }
      if !order.stands(as: decision) { try transaction.decide(entry, decision, at: now) }
      if decision.reason == DecisionReason.mirrorBehind {
        try transaction.changeMirrorProgress { $0.wantOpenWalk(at: order.firstSeenAt) }
      }
      let decided = Decided(before: order, decision: decision, amounts: rules.amounts)
      return decision.outcome == .queued ? (try transaction.entry(entry), nil) : (nil, decided)
    }
    if let decided { context.logChanges([decided]) }
    return again
  }

  /// Puts off an order for a little.
  func postpone(_ order: LedgerOrder, reason: String, _ detail: String) async throws {
    let until = context.clock.now + Self.wait
    try await context.ledger.transaction {
      try $0.postpone(order.entry, until: until, reason: reason, detail: detail)
    }
    context.logPutOff(order, reason: reason, detail, until: until)
  }
}

extension LedgerOrder {
  /// The time from which on it could be sent: a walk that began before, during a long hold say, knows nothing of keys
  /// that changed since.
  fileprivate var sendableSince: Timestamp { max(firstSeenAt, decidedAt ?? firstSeenAt) }
}

extension Order {
  /// The order's key of a kind, as it is searched for.
  fileprivate func text(of key: MatchingKey) -> String? {
    switch key {
    case .email: email?.text
    case .externalSourceID: externalSourceID?.text
    }
  }
}

extension MirroredReferral {
  fileprivate func text(of key: MatchingKey) -> String? {
    switch key {
    case .email: email?.text
    case .externalSourceID: externalSourceID?.text
    }
  }
}

extension Referral {
  private func raw(_ key: MatchingKey) -> String? {
    switch key {
    case .email: friendEmail
    case .externalSourceID: externalSourceID
    }
  }

  /// Returns true if it holds a key and shows it as it is searched for, but for case: a search that reads what is
  /// written need not find what is equal only in normal form.
  fileprivate func showsLiterally(_ key: MatchingKey, _ text: String) -> Bool {
    guard holds(key, text), let raw = raw(key) else { return false }
    return raw.lowercased().contains(text.lowercased())
  }
}
