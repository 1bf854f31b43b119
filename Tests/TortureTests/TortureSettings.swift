import Foundation

/// The length and the load of a run, from the environment.
struct TortureSettings: Sendable {
  /// The seconds for which the writers write: `TORTURE_SECONDS`, 15 unless given.
  var seconds: Int
  /// The seed of every choice of the writers: `TORTURE_SEED`, another one at each run unless given.
  var seed: UInt64
  /// Connections that write at the same time: `TORTURE_WRITERS`, 16 unless given.
  var writers: Int

  static var current: TortureSettings {
    let environment = ProcessInfo.processInfo.environment
    return TortureSettings(
      seconds: environment["TORTURE_SECONDS"].flatMap { Int($0) } ?? 15,
      seed: environment["TORTURE_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...999_999),
      writers: environment["TORTURE_WRITERS"].flatMap { Int($0) } ?? 16)
  }

  /// Friends enough that the writers don't run out of them: a friend of an order's own makes its loss visible, a shared
  /// one would hide it.
  var friends: Int { writers * (4 * seconds + 20) }
}
