import Foundation

/// Damage to a file, as disks, copies and people do it.
public enum Corruption: Sendable, CustomStringConvertible {
  /// So many bytes somewhere are others.
  case flips(Int)
  /// A page of zeroes.
  case zeroes
  /// A page of noise.
  case noise
  /// The end is gone.
  case cut
  /// A page stands where another was.
  case misplaced

  /// `CORRUPTION_SEED`, which has a run's damage done again, or any.
  public static var seed: UInt64 {
    ProcessInfo.processInfo.environment["CORRUPTION_SEED"].flatMap { UInt64($0) } ?? .random(in: 1...1_000_000)
  }

  /// Any of them.
  public static func random(using random: inout SeededGenerator) -> Corruption {
    [.flips(1), .flips(.random(in: 2...200, using: &random)), .zeroes, .noise, .cut, .misplaced]
      .randomElement(using: &random) ?? .cut
  }

  /// In words.
  public var description: String {
    switch self {
    case .flips(let count): "\(count) flipped bytes"
    case .zeroes: "a page of zeroes"
    case .noise: "a page of noise"
    case .cut: "the loss of the end"
    case .misplaced: "a misplaced page"
    }
  }

  /// Damages a file.
  public func strike(_ path: String, using random: inout SeededGenerator) throws {
    let url = URL(fileURLWithPath: path)
    var bytes = [UInt8](try Data(contentsOf: url))
    guard !bytes.isEmpty else { return }
    let page = 4096
    let pages = max(1, bytes.count / page)
    let start = Int.random(in: 0..<pages, using: &random) * page
    let end = min(start + page, bytes.count)
    switch self {
    case .flips(let count):
      for _ in 0..<count { bytes[.random(in: bytes.indices, using: &random)] ^= .random(in: 1...255, using: &random) }
    case .zeroes: for index in start..<end { bytes[index] = 0 }
    case .noise: for index in start..<end { bytes[index] = .random(in: 0...255, using: &random) }
    case .cut: bytes.removeLast(.random(in: 1..<max(2, bytes.count), using: &random))
    case .misplaced:
      let other = Int.random(in: 0..<pages, using: &random) * page
      for index in 0..<(min(end - start, bytes.count - other)) { bytes[start + index] = bytes[other + index] }
    }
    try Data(bytes).write(to: url)
  }
}
