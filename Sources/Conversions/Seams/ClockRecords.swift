/// What is remembered of the time.
public protocol ClockRecords {
  /// What an earlier run knew; nil for nothing.
  func clockMemory() throws -> WitnessedTime.Memory?
  /// Stores what a later run is to know.
  func setClockMemory(_ memory: WitnessedTime.Memory) throws
}
