import Conversions
import Logging

/// Sends one conversion, from the mark in the ledger to the stored result.
final class AttemptSender: Sendable {
  /// The time by which the API's clock may differ from ours when a 409 is judged.
  static let clockSkew = Duration.seconds(300)

  private let context: PipelineContext

  init(_ context: PipelineContext) { self.context = context }

  /// Sends what is marked, and stores what came of it.
  ///
  /// - Throws: `LedgerFailure`.
  func send(_ send: Attempt.Started, permit: SendPermit) async throws -> Attempt.Ended {
    let began = context.clock.uptime
    let answer = await context.partners.convert(send.report, permit: permit)
    let judged = try await judge(answer, send)
    let ended = Attempt.Ended(
      send, judged, duration: answer.duration ?? (context.clock.uptime - began), httpStatus: answer.httpStatus,
      isWithdrawn: answer.isWithdrawn)
    try await store(ended)
    return ended
  }

  private func judge(_ answer: APIAnswer<ConversionReceipt>, _ send: Attempt.Started) async throws -> Attempt.Judgement
  {
    let verdict = SendVerdict(answer: answer, report: send.report, history: send.history)
    guard case .verify(let reason) = verdict else {
      return Attempt.Judgement(verdict: verdict, isUnknown: verdict.isUnknown)
    }
    return try await verify(reason, send)
  }

  /// Asks for the referral: the answer alone doesn't tell whose conversion it is.
  private func verify(_ reason: VerifyReason, _ send: Attempt.Started) async throws -> Attempt.Judgement {
    let referral = await ReadPriority.$current.withValue(.question) {
      await context.partners.referral(send.report.referralID)
    }
    let verdict = SendVerdict(
      verifying: reason, referral: referral, report: send.report, history: send.history, now: context.clock.now,
      skew: try await skew(since: send.history.firstSentAt ?? send.startedAt))
    // The answer itself was clear: this send was not done, whether or not the referral could be asked for.
    var judged = Attempt.Judgement(verdict: verdict, isUnknown: false)
    if case .success(let value, _) = referral { judged.shown = value }
    return judged
  }

  /// Returns by how much the API's clock may differ from ours of the first send: its measured difference, what
  /// measuring can't tell, and the jumps of ours since.
  private func skew(since firstSentAt: Timestamp) async throws -> Duration {
    let (ledger, uncertainty) = (context.ledger, context.clock.uncertainty(since: firstSentAt))
    // Runs in a task of its own: a clear answer is stored even if the daemon's end came while it was verified.
    return try await Task(executorPreference: context.executor) {
      try await ledger.transaction { try $0.mirrorProgress().sendSkew + uncertainty }
    }.value
  }

  private func store(_ ended: Attempt.Ended) async throws {
    let (now, verdict) = (context.clock.now, ended.verdict)
    let failures = (ended.order.frozen?.attempts ?? 0) + 1
    // Asks for jitter only if it matters: that is a call of the kernel each time.
    let wait = verdict.isTriedAgain ? await context.jitter.wait(.delivery, afterFailures: failures) : .zero
    var (result, detail) = verdict.result(now: now, wait: wait)
    result.isUnknown = ended.isUnknown
    // Leaves a withdrawn order its place in the queue.
    if ended.isWithdrawn { result.next = .again(ended.order.dueAt ?? now) }
    let attempt = Attempt(
      number: ended.attemptNumber, startedAt: ended.startedAt, duration: ended.duration, httpStatus: ended.httpStatus,
      verdict: verdict.name, detail: detail)
    let halt: SendingHalt? =
      if case .halt(let reason, let words) = verdict { SendingHalt(reason: reason, detail: words, since: now) } else {
        nil
      }
    let stored = result
    try await storeDurably { ledger in
      try ledger.finishSend(ended.order.entry, ended.report, attempt: attempt, result: stored, at: now)
      // Records the referral: the rivals of an order that lost it to another program must not be sent after it.
      if let shown = ended.shown { _ = try ledger.record(shown, seenAt: now) }
      try halt?.begin(ledger)
    }
    if !ended.isWithdrawn { note(verdict, now: now) }
    log(ended, detail: detail, next: result.next)
    context.matchingWake.notify()
  }

  /// Stores a result durably. Runs in a task of its own, as the caller's may be cancelled meanwhile.
  private func storeDurably(_ write: @escaping @Sendable (any LedgerTransaction) throws -> Void) async throws {
    let ledger = context.ledger
    try await Task(executorPreference: context.executor) {
      do {
        try await ledger.transaction { try write($0) }
      } catch {
        // Stores it once more: a commit that failed may have been kept all the same, and then nothing is left to do.
        try await ledger.transaction { try write($0) }
      }
    }.value
  }

  private func note(_ verdict: SendVerdict, now: Timestamp) {
    switch verdict {
    case .halt(let reason, let words):
      context.health.failed(.delivery, "\(reason.rawValue): \(words)", at: now)
    case .unknown(let words, _), .notDone(let words, _): context.health.failed(.delivery, words, at: now)
    default: context.health.succeeded(.delivery, at: now)
    }
  }

  /// The level at which an attempt is logged: an order that is tried again is news once, as an outage has one line and not
  /// one a try.
  private func level(of ended: Attempt.Ended) -> Logger.Level {
    let entry = ended.order.entry
    switch ended.verdict {
    case .unknown, .notDone, .verify, .halt:
      return !ended.isWithdrawn && context.putOffs.isNews(entry, QueuedReason.retry.rawValue) ? .info : .debug
    case .reported, .superseded, .rematch, .review: context.putOffs.forget(entry)
    }
    if case .review = ended.verdict { return .error }
    return .info
  }

  private func log(_ ended: Attempt.Ended, detail: String?, next: SendResult.Next) {
    let level = level(of: ended)
    guard context.log.logLevel <= level else { return }
    var fields = ended.fields
    if case .again(let time) = next { fields["next_try"] = time.description }
    let worth = ended.report.value.map { " (\(CentsText.text($0)))" } ?? ""
    let subject = "order \(ended.order.orderID) for referral \(ended.report.referralID)\(worth)"
    let because = detail.map { ": \($0)" } ?? ""
    switch ended.verdict {
    case .reported: context.log.event(.reported, level, "reported \(subject)\(because)", fields)
    case .superseded:
      fields["reason"] = DecisionReason.alreadyConverted
      context.log.event(.superseded, level, "\(subject) is not reported\(because)", fields)
    case .review(let reason, _):
      fields["reason"] = reason.rawValue
      context.log.event(.review, level, "\(subject) needs a person\(because)", fields)
    // Logs a halt as a deferred send: the gate logs the halt itself, once for all that are under way.
    case .unknown, .notDone, .rematch, .verify, .halt:
      fields["reason"] = ended.verdict.isRematch ? DecisionReason.noReferralYet : QueuedReason.retry.rawValue
      context.log.event(.deferred, level, "\(subject) is tried again\(because)", fields)
    }
  }
}

extension Attempt.Started {
  fileprivate var history: SendHistory {
    SendHistory(
      hasUnknownOutcome: order.frozen?.hasUnknownOutcome ?? false, firstSentAt: order.frozen?.firstSentAt ?? startedAt,
      rematches: order.rematches)
  }
}

extension APIAnswer {
  /// The duration of the exchange, without the wait for a connection; nil if it was not measured.
  fileprivate var duration: Duration? {
    let measured =
      switch self {
      case .success(_, let head), .failure(_, let head): head.duration
      case .transport(let failure): failure.duration
      }
    return measured > .zero ? measured : nil
  }

  /// True if it was not sent because of what came of another one.
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
  fileprivate var isRematch: Bool { if case .rematch = self { true } else { false } }
}

extension MirrorProgress {
  /// The time by which the API's clock may differ from ours when it is judged whether a conversion is ours.
  var sendSkew: Duration {
    let ahead = clockAhead ?? .zero
    return AttemptSender.clockSkew + max(ahead, .zero - ahead)
  }
}
