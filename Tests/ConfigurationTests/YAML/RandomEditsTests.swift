import Configuration
import TestHosts
import Testing

/// A file with random edits is refused or taken, and never stops the program.
@Suite struct RandomEditsTests {
  @Test(arguments: 0..<8 as Range<UInt64>)
  func randomEditsNeverCrash(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<150 {
      var scalars = Array(Sample.full.unicodeScalars)
      for _ in 0..<Int.random(in: 1...4, using: &random) { edit(&scalars, &random) }
      var text = String.UnicodeScalarView()
      text.append(contentsOf: scalars)
      check(String(text))
    }
  }

  private func check(_ text: String) {
    guard case .failure(let failure) = ConfigurationReader.read(text: text, name: "c") else { return }
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }.count
    #expect(!failure.mistakes.isEmpty)
    for mistake in failure.mistakes + failure.warnings {
      #expect((1...lines + 1).contains(mistake.line) && mistake.column >= 1, "\(mistake)")
      #expect(!mistake.message.isEmpty && !mistake.message.contains { $0.isNewline }, "\(mistake)")
    }
    #expect(failure.mistakes == failure.mistakes.sorted { $0.position < $1.position })
  }

  private static let signs = Array(" \t\n:,-#&*!|>'\"[]{}?%@`~<0a.;$/\\é\u{1F600}\u{0}\u{85}\u{2028}".unicodeScalars)

  private func edit(_ text: inout [Unicode.Scalar], _ random: inout SeededGenerator) {
    guard !text.isEmpty else { return }
    let at = Int.random(in: 0..<text.count, using: &random)
    let end = min(text.count, at + Int.random(in: 1...40, using: &random))
    let sign = Self.signs[Int.random(in: 0..<Self.signs.count, using: &random)]
    switch Int.random(in: 0..<6, using: &random) {
    case 0: text.remove(at: at)
    case 1: text.insert(sign, at: at)
    case 2: text[at] = sign
    case 3: text.insert(contentsOf: text[at..<end], at: Int.random(in: 0...text.count, using: &random))
    case 4: text.removeSubrange(at..<end)
    default: text = Array(text[..<at])
    }
  }
}
