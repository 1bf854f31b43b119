import Foundation
import Testing

/// The rule for every text that a person reads: comments, messages, help texts, articles, manual pages, scripts.
///
/// It must make sense while its code is covered: it begins with a term or a verb, and names who acts.
@Suite struct WordRulesTests {
  @Test func noSentenceBeginsWithARiddle() {
    let riddle =
      #/(?:^|[\s"(*`])(What|How(?! To)|Where|Which|Who|Whose|Whom|Whether|Has|Whoever|Whatever)\b([^.?!]*)(.?)/#
    for file in SourceTree.written {
      for (number, line) in file.prose where ["Wh", "How", "Has"].contains(where: { line.range(of: $0) != nil }) {
        // A real question is none.
        for match in line.matches(of: riddle) where match.output.3 != "?" {
          Issue.record("\(file.path):\(number) has a sentence that begins with \(match.output.1)")
        }
      }
    }
  }

  @Test func actorsAreNamed() {
    for file in SourceTree.written {
      let isTest = file.path.hasPrefix("Tests/")
      for (number, line) in file.prose where !isTest || line.isComment {
        guard ["body", "who", "Who"].contains(where: { line.range(of: $0) != nil }) else { continue }
        if let word = line.firstMatch(of: #/(?:^|[\s("])([Ww]hoever|[Nn]obody|[Ss]omebody)\b/#)?.output.1 {
          Issue.record("\(file.path):\(number) says \(word)")
        }
        if line.isComment, line.contains(#/\b[Ww]hom\b/#) { Issue.record("\(file.path):\(number) says whom") }
      }
    }
  }

  /// Each word of the glossary is in use, and each name in it.
  @Test func theGlossaryIsInUse() throws {
    let glossary = try #require(SourceTree.file("Sources/Conversions/Glossary.swift"))
    let text = SourceTree.sources.filter { $0.path != glossary.path }.flatMap(\.lines).joined(separator: "\n")
    var words = 0
    for line in glossary.lines {
      for name in line.matches(of: #/`([A-Za-z_.]+)`/#).map(\.output.1) { #expect(text.contains(name), "\(name)") }
      guard let entry = line.firstMatch(of: #/^\/\/ ([a-zA-Z, ]+?)  +/#)?.output.1 else { continue }
      for word in entry.split(separator: ", ") {
        words += 1
        #expect(text.range(of: word, options: .caseInsensitive) != nil, "\(word)")
      }
    }
    #expect(words > 50)
  }
}

extension SourceTree {
  /// All that is written by hand or generated, but for the texts of a license, and this rule's own.
  fileprivate static let written =
    (sources + tests + files(in: "Sources", ending: ".md") + files(in: "Sources", ending: ".h")
    + files(in: "config") + files(in: "deploy") + files(in: ".ci")
    + [file("README.md"), file("Package.swift")].compactMap(\.self))
    .filter { $0.name != "copyright" && $0.name != "WordRulesTests.swift" }
}

extension SourceTree.File {
  /// The lines of a text that are sentences, with their numbers: no heading, no table, no example, no request to groff.
  fileprivate var prose: [(number: Int, line: String)] {
    let lines = zip(1..., lines).map { (number: $0, line: $1) }
    if path.hasPrefix("deploy/man/") { return lines.filter { !$0.line.hasPrefix(".") } }
    guard name.hasSuffix(".md") else { return lines }
    var isExample = false
    return lines.filter { _, line in
      if line.hasPrefix("```") { isExample.toggle() }
      return !isExample && !["#", "|", "    "].contains { line.hasPrefix($0) }
    }
  }
}
