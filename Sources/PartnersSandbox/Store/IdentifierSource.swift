/// Makes referral IDs and codes, the same ones for the same seed, so that a run can be repeated.
struct IdentifierSource: Sendable {
  private static let alphabet = Array("0123456789abcdefghijklmnopqrstuvwxyz")
  private var random: SeededRandom

  init(seed: UInt64) { random = SeededRandom(seed: seed) }

  /// An ID of 32 characters that looks like the reference's `jx7…`.
  mutating func referralID() -> String { "jx7" + text(29) }

  /// A code of 8 characters.
  mutating func referralCode() -> String { text(8) }

  private mutating func text(_ count: Int) -> String {
    var text = ""
    for _ in 0..<count { text.append(Self.alphabet[Int.random(in: 0..<36, using: &random)]) }
    return text
  }
}

/// SplitMix64: small, and the same sequence for the same seed everywhere.
struct SeededRandom: RandomNumberGenerator, Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
