import Conversions

extension SQLiteTransaction: ClockRecords {
  func clockMemory() throws -> TrustedTime.Memory? { try fact("clock", as: TrustedTime.Memory.self) }

  func setClockMemory(_ memory: TrustedTime.Memory) throws { try setFact("clock", json: memory) }
}
