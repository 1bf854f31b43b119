import Conversions

extension SQLiteTransaction: ClockRecords {
  func clockMemory() throws -> WitnessedTime.Memory? { try fact("clock", as: WitnessedTime.Memory.self) }

  func setClockMemory(_ memory: WitnessedTime.Memory) throws { try setFact("clock", json: memory) }
}
