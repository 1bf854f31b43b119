/// The two limits of API reference, Rate limits: writes by IP address, and conversions by partner on top.
struct RateLimits: Sendable {
  /// The details that a refused request is told.
  struct Refusal: Sendable, Equatable {
    /// Milliseconds to wait, rounded up.
    let retryAfterMilliseconds: Int64
    /// True if the conversion limit refused, false if the write limit did.
    let byConversions: Bool

    /// Seconds to wait, rounded up, as Retry-After carries them.
    var retryAfterSeconds: Int64 { (retryAfterMilliseconds + 999) / 1000 }
  }

  var writes: SandboxRateLimit? { didSet { writers = [:] } }
  var conversions: SandboxRateLimit? { didSet { converters = [:] } }
  private var writers: [String: any RateLimiter] = [:]
  private var converters: [String: any RateLimiter] = [:]

  init(writes: SandboxRateLimit?, conversions: SandboxRateLimit?) {
    self.writes = writes
    self.conversions = conversions
  }

  /// Counts one write if every limit that concerns it admits it; else counts nothing and returns the wait.
  mutating func admit(address: String, converting partner: String?, at now: Int64) -> Refusal? {
    var writer = writes.map { limit in writers[address] ?? limit.makeLimiter() }
    var converter = partner.flatMap { partner in
      conversions.map { limit in converters[partner] ?? limit.makeLimiter() }
    }
    let writerWait = writer?.wait(at: now) ?? 0
    let converterWait = converter?.wait(at: now) ?? 0
    guard writerWait == 0, converterWait == 0 else {
      let wait = max(writerWait, converterWait)
      return Refusal(
        retryAfterMilliseconds: (wait + 999_999) / 1_000_000, byConversions: converterWait > writerWait)
    }
    writer?.take(at: now)
    converter?.take(at: now)
    if let writer { writers[address] = writer }
    if let partner, let converter { converters[partner] = converter }
    return nil
  }
}
