/// The most that may wait to be written before records are dropped.
public struct LogLimits: Sendable {
  /// The most records.
  public var records: Int
  /// The most bytes of all records together.
  public var bytes: Int

  /// Limits of this many records and bytes.
  public init(records: Int = 8_192, bytes: Int = 8 << 20) {
    self.records = records
    self.bytes = bytes
  }
}
