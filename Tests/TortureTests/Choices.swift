import TestHosts

extension SeededGenerator {
  /// Begins one of many independent streams of a seed: a writer's, a friend's.
  init(seed: UInt64, stream: UInt64) {
    self.init(seed: seed &* 0x2545_F491_4F6C_DD1D &+ stream &* 0x9E37_79B9_7F4A_7C15)
    _ = next()
  }

  mutating func chance(percent: Int) -> Bool { int(0...99) < percent }

  /// One of several, by weight.
  mutating func pick<Value>(_ weighted: [(weight: Int, value: Value)]) -> Value {
    var left = int(0...(weighted.reduce(0) { $0 + $1.weight } - 1))
    for (weight, value) in weighted {
      if left < weight { return value }
      left -= weight
    }
    return weighted[0].value
  }
}
