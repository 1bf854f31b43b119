import PartnersSandbox
import TestHosts
import Testing

@testable import protocol PartnersSandbox.RateLimiter
@testable import struct PartnersSandbox.RateLimits

@Suite struct RateLimiterTests {
  private static let second: Int64 = 1_000_000_000
  static let shapes: [SandboxRateLimit.Shape] = [
    .fixed, .sliding, .slidingCounter, .tokenBucket(capacity: 30), .tokenBucket(capacity: 1),
  ]

  /// Times at which one who tries at random moments is admitted; each refusal is checked to be told exactly.
  private func admissions(_ limit: SandboxRateLimit, seed: UInt64, tries: Int) -> [Int64] {
    var random = SeededGenerator(seed: seed)
    var limiter = limit.makeLimiter()
    var now = Int64.random(in: 0...1_000_000_000_000, using: &random)
    var admitted: [Int64] = []
    for _ in 0..<tries {
      now += Int64.random(in: 0...3 * Self.second, using: &random)
      if Int.random(in: 0..<20, using: &random) == 0 { now += Int64.random(in: 0...150 * Self.second, using: &random) }
      let wait = limiter.wait(at: now)
      #expect(wait >= 0 && wait <= 120 * Self.second)
      if wait > 0 {
        #expect(limiter.wait(at: now + wait) == 0, "the wait is long enough")
        #expect(limiter.wait(at: now + wait - 1) > 0, "and no longer than needed")
        if Bool.random(using: &random) { continue }
        now += wait
      }
      limiter.take(at: now)
      admitted.append(now)
    }
    return admitted
  }

  @Test("A refusal tells the exact wait", arguments: shapes, 1...8 as ClosedRange<UInt64>)
  func exactWait(_ shape: SandboxRateLimit.Shape, _ seed: UInt64) {
    #expect(admissions(SandboxRateLimit(30, shape: shape), seed: seed, tries: 600).count > 100)
  }

  @Test("sliding: never more than 30 within any 60 s", arguments: 1...8 as ClosedRange<UInt64>)
  func sliding(_ seed: UInt64) {
    let admitted = admissions(SandboxRateLimit(30, shape: .sliding), seed: seed, tries: 900)
    for index in admitted.indices.dropFirst(30) {
      #expect(admitted[index] - admitted[index - 30] >= 60 * Self.second)
    }
  }

  @Test("fixed: never more than 30 within one minute of the clock", arguments: 1...8 as ClosedRange<UInt64>)
  func fixed(_ seed: UInt64) {
    let admitted = admissions(SandboxRateLimit(30, shape: .fixed), seed: seed, tries: 900)
    let minutes = Dictionary(grouping: admitted) { $0 / (60 * Self.second) }
    #expect(minutes.values.map(\.count).max() == 30)
  }

  @Test("slidingCounter: never more than 30 by its own count", arguments: 1...8 as ClosedRange<UInt64>)
  func slidingCounter(_ seed: UInt64) {
    let window = 60 * Self.second
    let admitted = admissions(SandboxRateLimit(30, shape: .slidingCounter), seed: seed, tries: 900)
    for (index, now) in admitted.enumerated() {
      let current = admitted[...index].count { $0 / window == now / window }
      let previous = admitted[...index].count { $0 / window == now / window - 1 }
      let overlap = Double(window - now % window) / Double(window)
      #expect(Double(previous) * overlap + Double(current) <= 30.000001)
    }
  }

  @Test("tokenBucket: at most its capacity at once, then one every two seconds", arguments: [1, 5, 30])
  func tokenBucket(_ capacity: Int) {
    var limiter = SandboxRateLimit(30, shape: .tokenBucket(capacity: capacity)).makeLimiter()
    for _ in 0..<capacity {
      #expect(limiter.wait(at: 5) == 0)
      limiter.take(at: 5)
    }
    #expect(limiter.wait(at: 5) == 2 * Self.second)
    #expect(limiter.wait(at: 5 + 2 * Self.second) == 0)
    // However long it rests, it holds no more than its capacity.
    for _ in 0..<capacity { limiter.take(at: 1000 * Self.second) }
    #expect(limiter.wait(at: 1000 * Self.second) == 2 * Self.second)
  }

  @Test("A burst of 30 is admitted by every shape but the bucket of one token", arguments: shapes)
  func burst(_ shape: SandboxRateLimit.Shape) {
    var limiter = SandboxRateLimit(30, shape: shape).makeLimiter()
    var admitted = 0
    for _ in 0..<40 where limiter.wait(at: 1) == 0 {
      limiter.take(at: 1)
      admitted += 1
    }
    #expect(admitted == (shape == .tokenBucket(capacity: 1) ? 1 : 30))
  }

  @Test("A conversion has to pass both limits, and uses up neither where one refuses") func both() {
    var limits = RateLimits(
      writes: SandboxRateLimit(3, shape: .sliding), conversions: SandboxRateLimit(2, shape: .sliding))
    #expect(limits.admit(address: "a", converting: "p", at: 0) == nil)
    #expect(limits.admit(address: "b", converting: "p", at: 1) == nil)
    let refusal = limits.admit(address: "a", converting: "p", at: 2)
    #expect(refusal?.byConversions == true)
    // Address a has used one of its three: the refused one wasn't counted.
    #expect(limits.admit(address: "a", converting: nil, at: 3) == nil)
    #expect(limits.admit(address: "a", converting: nil, at: 4) == nil)
    #expect(limits.admit(address: "a", converting: nil, at: 5)?.byConversions == false)
    #expect(limits.admit(address: "a", converting: "other", at: 6) != nil)
    #expect(limits.admit(address: "c", converting: "other", at: 7) == nil, "keys don't share a limit")
  }

  @Test("Delays are rounded up: to milliseconds, and to seconds for Retry-After") func rounding() {
    var limits = RateLimits(writes: SandboxRateLimit(1, shape: .sliding), conversions: nil)
    #expect(limits.admit(address: "a", converting: nil, at: 0) == nil)
    let later = limits.admit(address: "a", converting: nil, at: 1)
    #expect(later?.retryAfterMilliseconds == 60_000)
    #expect(later?.retryAfterSeconds == 60)
    let nearly = limits.admit(address: "a", converting: nil, at: 60 * Self.second - 1)
    #expect(nearly?.retryAfterMilliseconds == 1)
    #expect(nearly?.retryAfterSeconds == 1)
  }

  @Test("Switched off, nothing is refused") func off() {
    var limits = RateLimits(writes: nil, conversions: nil)
    for _ in 0..<1000 { #expect(limits.admit(address: "a", converting: "p", at: 0) == nil) }
  }
}
