import TestHosts

extension SeededGenerator {
  /// Begins the sequence of a scenario. Spreads the seeds, as those of the scenarios that once failed were spread: begun
  /// plainly they would play other ones.
  init(scenario seed: UInt64) { self.init(seed: seed &* 0x2545_f491_4f6c_dd1d &+ 1) }
}
