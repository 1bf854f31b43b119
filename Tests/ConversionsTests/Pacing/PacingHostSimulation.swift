import Conversions
import Foundation
import TestHosts

/// A host with an endless backlog of conversions, whose process is killed every few minutes, a server with a limiter
/// for writes and one for conversions, and perhaps a neighbour at the same address, in simulated time.
struct PacingHostSimulation {
  /// The events besides the sends.
  struct Course {
    var minutes = 240.0
    var restartEvery: Double? = 420
    /// The host is rebooted once, in the middle, and is away for twenty seconds.
    var reboots = true
    var limits = WriteLimits()
    /// The writes a minute that another program at the same address tries, at random times and each only once.
    var neighbour: Double?
    /// The minute in which it stops.
    var neighbourUntil = Double.infinity
    var latencyMean = 0.3
    var latencyMax = 1.5
  }

  /// The result of a run.
  struct Outcome {
    var sent = 0
    var accepted = 0
    var acceptedByHour: [Int] = []
    var refusedAt: [Double] = []
    var neighbourSent = 0
    var neighbourRefused = 0
    var inFlightMax = 0
    var unanswered = 0
    var minutes = 0.0

    var perMinute: Double { Double(accepted) / minutes }
    var neighbourPerMinute: Double { Double(neighbourSent - neighbourRefused) / minutes }
    /// Refusals in each hour from a minute on.
    func refused(byHourFrom start: Double = 0) -> [Int] {
      stride(from: start, to: minutes, by: 60).map { hour in
        refusedAt.count { $0 >= hour * 60 && $0 < (hour + 60) * 60 }
      }
    }
  }

  private struct Request {
    var send: PacedSend
    var countedAt: Double
    var answeredAt: Double
    var isCounted = false
    var isRefused = false
    var retryAfter = 0.0
  }

  let course: Course
  /// The content of the pacer's file, which outlives the processes.
  private(set) var pacing = HostPacing()
  private var writes: Limiter
  private var conversions: Limiter
  private var random: SeededGenerator
  private var requests: [Request] = []
  /// Seconds of the server's time; the host's uptime is that less `bootedAt`.
  private var now = 0.0
  private var bootedAt = -100.0
  private var process: UInt64 = 1
  /// True while sends of processes that are gone are not answered.
  private var hasOrphans = false
  private var restartAt: Double
  private var rebootAt: Double
  private var neighbourAt = Double.infinity
  private var number: UInt64 = 0
  private var outcome = Outcome()

  init(_ shape: LimiterShape, seed: UInt64, _ course: Course = Course()) {
    self.course = course
    random = SeededGenerator(seed: seed)
    let phases = [Double.random(in: 0..<60, using: &random), Double.random(in: 0..<60, using: &random)]
    writes = Limiter(shape, perMinute: course.limits.writes.perMinute ?? .max, phase: phases[0])
    conversions = Limiter(shape, perMinute: course.limits.conversions.perMinute ?? .max, phase: phases[1])
    restartAt = course.restartEvery ?? .infinity
    rebootAt = course.reboots ? course.minutes * 30 : .infinity
    if course.neighbour != nil { neighbourAt = nextNeighbour() }
  }

  /// Runs the whole course.
  mutating func run() throws -> Outcome {
    let end = course.minutes * 60
    while now < end {
      let next = min(end, nextEvent())
      // As `WritePacer` does at each access to its file, whether there is anything or not.
      if hasOrphans { expireOrphans() }
      switch pacing.verdict(.conversion, course.limits, at: uptime) {
      case .now: send()
      case .at(let time) where bootedAt + time.inSeconds < next: now = max(now, bootedAt + time.inSeconds)
      // While a dead process holds something, the pacer looks at the file again and again.
      case .afterAnswer where hasOrphans && now + 0.05 < next: now += 0.05
      case .at, .afterAnswer:
        now = next
        if now < end { try happen() }
      }
    }
    outcome.minutes = course.minutes
    return outcome
  }

  private mutating func expireOrphans() {
    _ = pacing.expireOrphans(at: uptime, leaseMax: .seconds(600)) { [process] in $0.owner != process }
    hasOrphans = pacing.writes.sends.contains { $0.owner != process }
  }

  private func nextEvent() -> Double {
    let request = requests.map { $0.isCounted ? $0.answeredAt : $0.countedAt }.min() ?? .infinity
    return min(request, neighbourAt, restartAt, rebootAt)
  }

  private mutating func happen() throws {
    if now >= rebootAt { return try reboot() }
    if now >= restartAt { return try restart() }
    if now >= neighbourAt { return callNeighbour() }
    if let index = requests.firstIndex(where: { !$0.isCounted && $0.countedAt <= now }) { return count(index) }
    guard let index = requests.firstIndex(where: { $0.isCounted && $0.answeredAt <= now }) else { return }
    answer(requests.remove(at: index))
  }

  private mutating func send() {
    let drawn = -log(Double.random(in: 1e-9..<1, using: &random)) * (course.latencyMean - 0.05)
    let latency = min(course.latencyMax, 0.05 + drawn)
    number += 1
    outcome.sent += 1
    let send = PacedSend(number: number, owner: process, sentAt: uptime)
    pacing.record(send, .conversion)
    let countedAt = now + latency * Double.random(in: 0...1, using: &random)
    requests.append(Request(send: send, countedAt: countedAt, answeredAt: now + latency))
    outcome.inFlightMax = max(outcome.inFlightMax, pacing.writes.inFlight)
  }

  private mutating func count(_ index: Int) {
    let wait = writes.refusal(at: now) ?? conversions.refusal(at: now)
    requests[index].isCounted = true
    requests[index].isRefused = wait != nil
    requests[index].retryAfter = wait ?? 0
    if wait == nil {
      outcome.accepted += 1
      let hour = Int(now / 3600)
      while outcome.acceptedByHour.count <= hour { outcome.acceptedByHour.append(0) }
      outcome.acceptedByHour[hour] += 1
    } else {
      outcome.refusedAt.append(now)
    }
  }

  private mutating func answer(_ request: Request) {
    guard request.send.owner == process else { return outcome.unanswered += 1 }
    // Whole seconds, rounded down, as servers do.
    let answer: PacedAnswer =
      request.isRefused ? .refused(retryAfter: .seconds(Int(request.retryAfter))) : .notRefused
    pacing.record(answer, to: request.send.number, .conversion, at: uptime)
  }

  private mutating func callNeighbour() {
    outcome.neighbourSent += 1
    if writes.refusal(at: now) != nil { outcome.neighbourRefused += 1 }
    neighbourAt = nextNeighbour()
  }

  private mutating func nextNeighbour() -> Double {
    guard let rate = course.neighbour, now < course.neighbourUntil * 60 else { return .infinity }
    return now - log(Double.random(in: 1e-9..<1, using: &random)) * 60 / rate
  }

  /// The process is killed and is there again at once; what it sent is on its way all the same.
  private mutating func restart() throws {
    restartAt = now + (course.restartEvery ?? .infinity)
    process += 1
    hasOrphans = true
    pacing = try JSONDecoder().decode(HostPacing.self, from: JSONEncoder().encode(pacing))
    pacing.limitToPast(of: uptime)
  }

  private mutating func reboot() throws {
    let savedAt = uptime
    rebootAt = .infinity
    process += 1
    // While the host is away, its requests arrive and the neighbour goes on.
    let back = now + 20
    while nextEvent() < back {
      now = nextEvent()
      if now >= restartAt { restartAt = .infinity } else { try happen() }
    }
    (now, bootedAt) = (back, back - 15)
    try restart()
    pacing.rebase(from: savedAt, to: uptime)
    pacing.limitToPast(of: uptime)
  }

  // Rounded up to microseconds, so that what is due is never asked for too early again and again.
  private var uptime: Duration { .microseconds(Int64(((now - bootedAt) * 1e6).rounded(.up))) }
}
