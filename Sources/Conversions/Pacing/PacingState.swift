/// The state that must be remembered to keep one limit: the sends in flight, the count of the last window's answers, the
/// gear, and the wait that the API asked for. Its size does not grow with the limit.
///
/// A pure value: times are uptimes of one boot, given by the caller.
public struct PacingState: Hashable, Sendable, Codable {
  /// The sends in flight, in the order in which they were let through: sixteen at most.
  public private(set) var sends: [PacedSend] = []
  /// The gear.
  public private(set) var gear = PacingGear.first
  /// The factor by which the safe gear's spacing is widened, from 1.
  public private(set) var widening = 1.0
  /// The uptime until which nothing may be sent.
  public private(set) var blockedUntil: Duration?
  /// The time that answers take, as a moving mean over some eight of them.
  public private(set) var latency = Duration.zero
  private var answers = AnswerCount()
  /// The time at which the latest of the answered sends left.
  private var lastSentAt: Duration?
  private var lastAnsweredAt: Duration?
  private var lastRefusedAt: Duration?

  /// Makes a state with nothing sent yet.
  public init() {}

  /// The number of sends under way.
  public var inFlight: Int { sends.count }

  /// Judges when the next write may leave.
  public func verdict(_ rules: PacingRules, at now: Duration) -> PacingVerdict {
    var earliest = blockedUntil ?? now
    let inFlightMax = gear == .safe && rules.perMinute != nil ? 1 : rules.inFlightMax(latency: latency)
    guard inFlight < inFlightMax else { return afterAnswer(at: now) }
    if let perMinute = rules.perMinute {
      switch gear {
      case .first:
        if let last = [sends.last?.sentAt, lastSentAt].compactMap(\.self).max() {
          earliest = max(earliest, last + rules.spacingAfterSend(perMinute))
        }
      case .safe:
        let spacing = rules.spacingAfterAnswer(perMinute, widening: widening)
        if let last = lastAnsweredAt { earliest = max(earliest, last + spacing) }
      }
      switch room(for: perMinute, at: now) {
      case .now: break
      case .at(let time): earliest = max(earliest, time)
      case .afterAnswer: return afterAnswer(at: now)
      }
    }
    return earliest <= now ? .now : .at(earliest)
  }

  /// Puts a write off until the API's wait is over, or else until an answer: the end of the wait is known, and may be
  /// the later.
  private func afterAnswer(at now: Duration) -> PacingVerdict {
    if let blockedUntil, blockedUntil > now { .at(blockedUntil) } else { .afterAnswer }
  }

  /// Finds when fewer than the limit were counted within a window, each taken as counted as late as its answer. Right
  /// for answers that overtake each other, which "60 s after the answer n back" is not.
  private func room(for perMinute: Int, at now: Duration) -> PacingVerdict {
    guard inFlight < perMinute else { return .afterAnswer }
    let tooMany = inFlight + answers.total(at: now) - perMinute + 1
    return tooMany > 0 ? answers.leaves(tooMany, at: now).map(PacingVerdict.at) ?? .now : .now
  }

  /// Records a send that is let through.
  public mutating func record(_ send: PacedSend) {
    sends.append(send)
  }

  /// Takes a send back that never left.
  public mutating func cancel(_ number: UInt64) {
    sends.removeAll { $0.number == number }
  }

  /// Records an answer. One of a send that is forgotten, or was given up, still counts as the latest answer.
  public mutating func record(_ answer: PacedAnswer, to number: UInt64, at now: Duration) {
    let index = sends.firstIndex { $0.number == number }
    let sentAt = index.map { sends[$0].sentAt } ?? now
    if let index {
      end(index, at: now)
      latency = latency == .zero ? now - sentAt : (latency * 7 + (now - sentAt)) / 8
    }
    let pause = min(now - (lastAnsweredAt ?? now), PacingRules.narrowingPauseMax)
    lastAnsweredAt = max(lastAnsweredAt ?? now, now)
    switch answer {
    case .notRefused:
      widening = max(1, widening * (1 - PacingRules.narrowingPerSecond * max(0, pause.inSeconds)))
    case .refused(let retryAfter):
      backOff(sentAt: sentAt, at: now)
      let until = Self.blockedUntil(after: retryAfter, at: now)
      blockedUntil = max(blockedUntil ?? until, until)
    }
  }

  /// Counts a send in flight as answered.
  private mutating func end(_ index: Int, at now: Duration) {
    let send = sends.remove(at: index)
    lastSentAt = max(lastSentAt ?? send.sentAt, send.sentAt)
    answers.add(at: now)
  }

  /// Ends the wait that the API asked for.
  public mutating func endWait() { blockedUntil = nil }

  /// Returns the uptime until which a refusal is taken to ask for no sends.
  public static func blockedUntil(after retryAfter: Duration?, at now: Duration) -> Duration {
    now + PacingRules.wait(asked: retryAfter)
  }

  /// Changes gear, or widens the spacing. A refusal of what left before the last refusal was known says nothing new.
  private mutating func backOff(sentAt: Duration, at now: Duration) {
    defer { lastRefusedAt = now }
    guard gear == .safe else { return gear = .safe }
    guard sentAt > lastRefusedAt ?? .zero else { return }
    widening = min(PacingRules.wideningMax, widening * PacingRules.wideningStep)
  }

  /// Counts sends that will never be answered as answered now: those that a process left which ended, a few seconds
  /// after they left, and those longer under way than any request can be.
  ///
  /// - Returns: True if there were any. The caller must then store the state: expired anew at each look, a send would
  ///   be answered just now for ever.
  public mutating func expireOrphans(at now: Duration, leaseMax: Duration, isGone: (_ ownerOf: PacedSend) -> Bool)
    -> Bool
  {
    let before = inFlight
    for index in sends.indices.reversed() {
      let age = now - sends[index].sentAt
      guard age > leaseMax || age > PacingRules.orphanedFor && isGone(sends[index]) else { continue }
      end(index, at: now)
      lastAnsweredAt = now
    }
    return inFlight < before
  }

  /// Makes the times those of another boot, in which their age is unknown: all counts as sent and answered just now at
  /// most, and what was left of a wait begins anew.
  public mutating func rebase(from savedAt: Duration, to now: Duration) {
    if !sends.isEmpty || lastSentAt != nil { lastSentAt = now }
    answers.add(sends.count, at: savedAt)
    answers.move(to: now)
    sends = []
    if lastAnsweredAt != nil { lastAnsweredAt = now }
    if lastRefusedAt != nil { lastRefusedAt = now }
    blockedUntil = blockedUntil.map { now + max(.zero, $0 - savedAt) }
    limitToPast(of: now)
  }

  /// Pulls back whatever lies in a future that can't be, so that no damaged time stops sending for good.
  public mutating func limitToPast(of now: Duration) {
    for index in sends.indices { sends[index].sentAt = min(sends[index].sentAt, now) }
    answers.limitToPast(of: now)
    lastSentAt = lastSentAt.map { min($0, now) }
    lastAnsweredAt = lastAnsweredAt.map { min($0, now) }
    lastRefusedAt = lastRefusedAt.map { min($0, now) }
    let blockMax = now + PacingRules.retryAfterMax + PacingRules.retryAfterMargin
    blockedUntil = blockedUntil.map { min($0, blockMax) }
    widening = widening.isFinite ? min(max(widening, 1), PacingRules.wideningMax) : PacingRules.wideningMax
  }

  /// Blocks sends for a minute, as nothing is known of the last one; gear, and any longer wait, stay.
  public mutating func forgetLastMinute(at now: Duration) {
    (sends, answers, lastSentAt) = ([], AnswerCount(), nil)
    let until = now + PacingRules.window
    blockedUntil = max(blockedUntil ?? until, until)
  }

  /// Returns the number of sends a minute that this state can let through.
  public func perMinute(_ rules: PacingRules) -> Double? {
    guard let perMinute = rules.perMinute else { return nil }
    let spacing =
      switch gear {
      case .first: rules.spacingAfterSend(perMinute)
      case .safe: rules.spacingAfterAnswer(perMinute, widening: widening) + latency
      }
    return 60 / spacing.inSeconds
  }
}
