/// The sandbox's counts since it was made.
public struct SandboxCounters: Sendable, Hashable {
  /// Requests to the API, faulty ones included.
  public internal(set) var requests = 0
  /// Writes that the limits admitted, whatever became of them.
  public internal(set) var writes = 0
  /// Referrals created through the API.
  public internal(set) var created = 0
  /// Conversions recorded through the API; a replay is none.
  public internal(set) var converted = 0
  /// Conversions that were answered as a replay.
  public internal(set) var replayed = 0
  /// Answers of 429 by either limit; those of ordered faults aren't counted.
  public internal(set) var rateLimited = 0
  /// Those of them that the conversion limit gave.
  public internal(set) var rateLimitedConversions = 0
  /// Ordered faults that struck.
  public internal(set) var faults = 0
  /// The most writes that were being answered at the same time.
  public internal(set) var writesInFlightMax = 0
}
