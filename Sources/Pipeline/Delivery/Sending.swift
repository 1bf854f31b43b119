import Conversions
import Logging

/// One send of one conversion, from the mark in the ledger to what came of it.
final class Sending: Sendable {
  /// By how much the API's clock may differ from ours when a 409 is judged.
  static let clockSkew = Duration.seconds(300)

  private let surroundings: Surroundings
  private let arrivals: Arrivals

  init(_ surroundings: Surroundings) {
    self.surroundings = surroundings
    arrivals = Arrivals(surroundings)
  }

  /// Sends what is marked, and stores what came of it.
  ///
  /// - Throws: `LedgerFailure`.
  func send(_ send: Send, permit: SendPermit) async throws -> EndedSend {
    let began = surroundings.clock.uptime
    let answer = await surroundings.partners.convert(send.report, permit: permit)
    let judged = try await judge(answer, send)
    let ended = EndedSend(
      send, judged, duration: answer.duration ?? (surroundings.clock.uptime - began), httpStatus: answer.httpStatus,
      isWithdrawn: answer.isWithdrawn)
    try await settle(ended)
    return ended
  }

  private func judge(_ answer: APIAnswer<ConversionReceipt>, _ send: Send) async throws -> JudgedAnswer {
    let verdict = SendVerdict(answer: answer, report: send.report, history: send.history)
    guard case .verify(let reason) = verdict else {
      return JudgedAnswer(verdict: verdict, isUnknown: verdict.isUnknown)
    }
    return try await verify(reason, send)
  }

  /// Asks for the referral: the answer alone doesn't tell whose conversion it is.
  private func verify(_ reason: VerifyReason, _ send: Send) async throws -> JudgedAnswer {
    let referral = await ReadPriority.$current.withValue(.question) {
      await surroundings.partners.referral(send.report.referralID)
    }
    let verdict = SendVerdict(
      verifying: reason, referral: referral, report: send.report, history: send.history, now: surroundings.clock.now,
      skew: try await skew(since: send.history.firstSentAt ?? send.startedAt))
    // The answer itself was clear: this send was not done, whether or not the referral could be asked for.
    var judged = JudgedAnswer(verdict: verdict, isUnknown: false)
    if case .success(let value, _) = referral { judged.shown = value }
    return judged
  }

  /// By how much the API's clock may differ from ours of the first send: its measured difference, what measuring can't tell,
  /// and the jumps of ours since.
  private func skew(since firstSentAt: Timestamp) async throws -> Duration {
    let (ledger, uncertainty) = (surroundings.ledger, surroundings.clock.uncertainty(since: firstSentAt))
    // Nobody's own task: what a clear answer says is stored even where the daemon's end came while it was verified.
    return try await Task(executorPreference: surroundings.executor) {
      try await ledger.transaction { try $0.sendSkew() + uncertainty }
    }.value
  }

  private func settle(_ ended: EndedSend) async throws {
    let (now, verdict) = (surroundings.clock.now, ended.verdict)
    let failures = (ended.order.frozen?.attempts ?? 0) + 1
    // Chance is asked only where it matters: that is a call of the kernel each time.
    let wait = verdict.isTriedAgain ? await surroundings.chance.wait(.delivery, afterFailures: failures) : .zero
    var (result, detail) = verdict.result(now: now, wait: wait)
    result.isUnknown = ended.isUnknown
    // It keeps its place in the queue.
    if ended.isWithdrawn { result.next = .again(ended.order.dueAt ?? now) }
    let attempt = Attempt(
      number: ended.attemptNumber, startedAt: ended.startedAt, duration: ended.duration, httpStatus: ended.httpStatus,
      verdict: verdict.name, detail: detail)
    let halt: LaneHalt? =
      if case .halt(let reason, let words) = verdict { LaneHalt(reason: reason, detail: words, since: now) } else {
        nil
      }
    try await arrivals.store(
      Arrival(
        entry: ended.order.entry, report: ended.report, attempt: attempt, result: result, shown: ended.shown,
        halt: halt, at: now))
    if !ended.isWithdrawn { note(verdict, now: now) }
    log(ended, detail: detail, next: result.next)
    surroundings.matchingBell.ring()
  }

  private func note(_ verdict: SendVerdict, now: Timestamp) {
    switch verdict {
    case .halt(let reason, let words):
      surroundings.vitals.ill(.delivery, "\(reason.rawValue): \(words)", at: now)
    case .unknown(let words, _), .notDone(let words, _): surroundings.vitals.ill(.delivery, words, at: now)
    default: surroundings.vitals.well(.delivery, at: now)
    }
  }

  private func log(_ ended: EndedSend, detail: String?, next: SendResult.Next) {
    let level = ended.verdict.level
    // Thousands a second need not be put into words that nobody reads.
    guard surroundings.log.logLevel <= level else { return }
    var fields = ended.fields
    if case .again(let time) = next { fields["next_try"] = time.description }
    let subject = "order \(ended.order.orderID) for referral \(ended.report.referralID)"
    let because = detail.map { ": \($0)" } ?? ""
    switch ended.verdict {
    case .reported: surroundings.log.event(.reported, level, "reported \(subject)\(because)", fields)
    case .superseded: surroundings.log.event(.superseded, level, "\(subject) is superseded\(because)", fields)
    case .review(let reason, _):
      fields["reason"] = reason.rawValue
      surroundings.log.event(.review, level, "\(subject) needs a person\(because)", fields)
    // Of a halt the lane tells, once for all that are under way.
    case .unknown, .notDone, .rematch, .verify, .halt:
      surroundings.log.event(.deferred, level, "\(subject) is tried again\(because)", fields)
    }
  }
}

extension Send {
  fileprivate var history: SendHistory {
    SendHistory(
      hasUnknownOutcome: order.frozen?.hasUnknownOutcome ?? false, firstSentAt: order.frozen?.firstSentAt ?? startedAt,
      rematches: order.rematches)
  }
}

extension APIAnswer {
  /// How long the exchange took, without the wait for a connection; nil where nobody measured it.
  fileprivate var duration: Duration? {
    let measured =
      switch self {
      case .success(_, let head), .failure(_, let head): head.duration
      case .transport(let failure): failure.duration
      }
    return measured > .zero ? measured : nil
  }

  /// Whether it was not sent because of what came of another one.
  var isWithdrawn: Bool {
    if case .transport(let failure) = self { failure.kind == .withdrawn } else { false }
  }

  var httpStatus: Int? {
    switch self {
    case .success(_, let head), .failure(_, let head): head.status
    case .transport: nil
    }
  }
}

extension SendVerdict {
  /// Whether its order is sent again after the back-off's wait.
  fileprivate var isTriedAgain: Bool {
    switch self {
    case .unknown, .verify, .notDone: true
    case .reported, .review, .superseded, .halt, .rematch: false
    }
  }

  /// Whether the send may have been done without our knowing.
  var isUnknown: Bool {
    if case .unknown = self { true } else { false }
  }

  /// How the log is told of it.
  fileprivate var level: Logger.Level {
    switch self {
    case .reported, .superseded: .info
    case .review: .error
    case .unknown, .notDone, .rematch, .verify, .halt: .debug
    }
  }

  /// What attempts are listed with that may have been done.
  static let unknownName = "unknown"

  /// The verdict in a word, as attempts are listed with.
  var name: String {
    switch self {
    case .reported: "reported"
    case .review: "review"
    case .superseded: "superseded"
    case .unknown, .verify: Self.unknownName
    case .notDone: "not_done"
    case .halt: "halt"
    case .rematch: "rematch"
    }
  }

  /// Where the verdict leaves its order, and why in a sentence; `wait` is the back-off's, should it be tried again.
  func result(now: Timestamp, wait: Duration) -> (SendResult, String?) {
    switch self {
    case .reported(let detail): (SendResult(next: .reported, isUnknown: false, counts: true), detail)
    case .superseded(let words): (SendResult(next: .superseded, isUnknown: false, counts: true), words)
    case .review(let reason, let words): (SendResult(next: .review(reason), isUnknown: false, counts: true), words)
    case .unknown(let words, let after):
      (SendResult(next: .again(now + max(wait, after ?? .zero)), isUnknown: true, counts: true), words)
    case .verify: (SendResult(next: .again(now + wait), isUnknown: true, counts: true), nil)
    case .notDone(let words, let after):
      (
        SendResult(next: .again(now + max(min(wait, .seconds(60)), after ?? .zero)), isUnknown: false, counts: false),
        words
      )
    // The lane is probed before anything is sent, so the entry itself need not wait.
    case .halt(_, let words): (SendResult(next: .again(now), isUnknown: false, counts: false), words)
    case .rematch(let words): (SendResult(next: .rematch, isUnknown: false, counts: false), words)
    }
  }
}

extension LedgerTransaction {
  /// By how much the API's clock may differ from ours when it is judged whether a conversion is ours.
  func sendSkew() throws -> Duration {
    let ahead = try mirrorProgress().clockAhead ?? .zero
    return Sending.clockSkew + max(ahead, .zero - ahead)
  }
}
