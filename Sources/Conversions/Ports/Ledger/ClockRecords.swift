/// Records of the state of time.
public protocol ClockRecords {
  /// Returns the state that an earlier run left; nil for none.
  func clockMemory() throws -> TrustedTime.Memory?
  /// Stores the state that a later run goes on with.
  func setClockMemory(_ memory: TrustedTime.Memory) throws
}
