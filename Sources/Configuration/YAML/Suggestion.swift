/// Finds the word that was meant.
public enum Suggestion {
  /// Finds the candidate nearest to `word`, where one is near enough to be a typing error.
  static func closest(to word: String, among candidates: [String]) -> String? {
    let plain = normal(word)
    guard (1...64).contains(plain.count) else { return nil }
    let limit = plain.count < 4 ? 1 : min(3, plain.count / 3 + 1)
    var best: (word: String, distance: Int)?
    for candidate in candidates {
      let distance = distance(plain, normal(candidate))
      if distance <= limit, distance < (best?.distance ?? .max), distance < candidate.count {
        best = (candidate, distance)
      }
    }
    return best?.word
  }

  /// Returns `; did you mean "x"?`, or nothing.
  public static func phrase(for word: String, among candidates: [String]) -> String {
    closest(to: word, among: candidates).map { "; did you mean \"\($0)\"?" } ?? ""
  }

  /// Removes case, hyphens and underscores, so that `pollInterval` is `poll_interval`.
  private static func normal(_ word: String) -> [UInt8] {
    word.lowercased().utf8.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: "-") }
  }

  /// Counts the optimal string alignment distance: insertions, deletions, substitutions, neighbours swapped.
  private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
    var before: [Int] = []
    var above = Array(0...b.count)
    for i in 1...a.count {
      var row = [i]
      for j in 1...b.count {
        var cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] { cost = min(cost, before[j - 2] + 1) }
        row.append(cost)
      }
      before = above
      above = row
    }
    return above[b.count]
  }
}
