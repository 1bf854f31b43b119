extension WitnessedTime {
  /// What a later run of the daemon is to know of the time.
  public struct Memory: Hashable, Sendable, Codable {
    /// The boot that the rest is about.
    public var bootID: String
    /// The uptime at which it was written.
    public var uptime: Duration
    /// What a right clock showed at that boot, by two that agreed; nil where no two ever did.
    public var bootedAt: Timestamp?
    /// The last corrections.
    public var corrections: [Correction] = []

    /// Nothing known yet.
    public init(bootID: String, uptime: Duration) { (self.bootID, self.uptime) = (bootID, uptime) }
  }

  /// A time when the clock was found to be wrong.
  public struct Correction: Hashable, Sendable, Codable {
    /// The most that are remembered.
    static let countMax = 50

    /// When, by the right time.
    public var at: Timestamp
    /// By how much it is later than it was thought to be.
    public var size: Duration

    /// A correction from its values.
    public init(at: Timestamp, size: Duration) { (self.at, self.size) = (at, size) }

    /// Whether a time may have been taken before it. It may not have been where it only looks so by the wrong clock.
    fileprivate func isSince(_ time: Timestamp) -> Bool { max(at, at - size) >= time }
  }

  /// By how much a time, as it was taken then, may differ from what the clock of now would have shown.
  public func doubt(since time: Timestamp) -> Duration {
    corrections.filter { $0.isSince(time) }.reduce(.zero) { $0 + max($1.size, .zero - $1.size) }
  }

  /// By how much the time that has passed since then may look longer than it was.
  public func excess(since time: Timestamp) -> Duration {
    max(.zero, corrections.filter { $0.isSince(time) }.reduce(.zero) { $0 + $1.size })
  }
}
