/// Seeded choices (SplitMix64): the same for the same seed and stream everywhere.
struct Choices: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// One of many independent streams of a seed: a writer's, a friend's.
  init(seed: UInt64, stream: UInt64) {
    state = seed &* 0x2545_F491_4F6C_DD1D &+ stream &* 0x9E37_79B9_7F4A_7C15
    _ = next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

  mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

  /// One of several, by weight.
  mutating func pick<Value>(_ weighted: [(weight: Int, value: Value)]) -> Value {
    var left = number(0...(weighted.reduce(0) { $0 + $1.weight } - 1))
    for (weight, value) in weighted {
      if left < weight { return value }
      left -= weight
    }
    return weighted[0].value
  }
}
