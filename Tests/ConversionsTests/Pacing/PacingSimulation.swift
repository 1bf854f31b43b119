import Conversions
import Foundation
import TestHosts

/// A client with an endless backlog, its pacer, and a server with one limiter, in simulated time.
struct PacingSimulation {
  /// The result of a run.
  struct Outcome {
    var sent = 0
    var refused = 0
    var perMinute = 0.0
    var inFlightMax = 0
  }

  private struct Request {
    var number: UInt64
    var countedAt: Double
    var answeredAt: Double
    var refusal: Double?
    var isCounted = false
  }

  let rules: PacingRules
  var limiter: Limiter
  var state = PacingState()
  /// The mean and the most of what a request takes, in seconds; the least is 0.05.
  let latencyMean: Double
  let latencyMax: Double
  private var random: SeededGenerator
  private var requests: [Request] = []
  private var now = 100.0
  private var outcome = Outcome()

  init(
    limit: Int = 30, _ shape: LimiterShape, latencyMean: Double = 0.3, latencyMax: Double = 1.5, seed: UInt64,
    serverLimit: Int? = nil
  ) {
    rules = PacingRules(.perMinute(limit))
    (self.latencyMean, self.latencyMax) = (latencyMean, latencyMax)
    random = SeededGenerator(seed: seed)
    limiter = Limiter(shape, perMinute: serverLimit ?? limit, phase: Double.random(in: 0..<60, using: &random))
  }

  /// Runs for so many simulated minutes.
  mutating func run(minutes: Double) -> Outcome {
    let end = now + minutes * 60
    while now < end {
      let requestTime = requests.map { $0.isCounted ? $0.answeredAt : $0.countedAt }.min() ?? .infinity
      switch state.verdict(rules, at: uptime(now)) {
      case .now: send()
      case .at(let time) where seconds(time) < requestTime: now = min(end, max(now, seconds(time)))
      case .at, .afterAnswer:
        now = requestTime
        arrive()
      }
    }
    outcome.perMinute = Double(outcome.sent - outcome.refused) / minutes
    return outcome
  }

  private mutating func send() {
    let mean = latencyMean - 0.05
    let drawn = mean <= 0 ? 0 : -log(Double.random(in: 1e-9..<1, using: &random)) * mean
    let latency = min(latencyMax, 0.05 + drawn)
    outcome.sent += 1
    let number = UInt64(outcome.sent)
    state.record(PacedSend(number: number, owner: 1, sentAt: uptime(now)))
    let counted = now + latency * Double.random(in: 0...1, using: &random)
    requests.append(Request(number: number, countedAt: counted, answeredAt: now + latency))
    outcome.inFlightMax = max(outcome.inFlightMax, requests.count)
  }

  /// The next thing that happens at the server, or the next answer.
  private mutating func arrive() {
    for index in requests.indices where !requests[index].isCounted && requests[index].countedAt <= now {
      requests[index].isCounted = true
      requests[index].refusal = limiter.refusal(at: now)
      return
    }
    guard let index = requests.firstIndex(where: { $0.isCounted && $0.answeredAt <= now }) else { return }
    let request = requests.remove(at: index)
    guard let wait = request.refusal else {
      return state.record(.notRefused, to: request.number, at: uptime(now))
    }
    outcome.refused += 1
    // Whole seconds, rounded down, as servers do.
    let retryAfter = Duration.seconds(Int(wait))
    state.record(.refused(retryAfter: retryAfter), to: request.number, at: uptime(now))
  }

  // Times are rounded up to microseconds, so that what is due is never asked for too early again and again.
  private func uptime(_ seconds: Double) -> Duration { .microseconds(Int64((seconds * 1e6).rounded(.up))) }

  private func seconds(_ uptime: Duration) -> Double { uptime.inSeconds }
}
