import Testing

/// Keeps what is written for readers true.
@Suite struct DocumentTests {
  @Test func theReadmeIsForAnOperatorAndShort() throws {
    let lines = try #require(SourceTree.file("README.md")).lines
    #expect(lines.count <= 160)
  }

  @Test func everyLinkLeadsToAFile() throws {
    var links = 0
    for document in SourceTree.documents {
      for line in document.lines {
        for link in line.matches(of: #/\]\(([^)#]+)\)/#).map(\.output.1) where !link.hasPrefix("http") {
          links += 1
          let path = document.folder.isEmpty ? String(link) : document.folder + "/" + link
          #expect(SourceTree.exists(path), "\(document.path) links to \(link)")
        }
        for article in line.matches(of: #/<doc:([A-Za-z]+)>/#).map(\.output.1) {
          links += 1
          #expect(SourceTree.exists(document.folder + "/\(article).md"), "\(document.path) links to \(article)")
        }
      }
    }
    #expect(links > 10)
  }

  @Test func everyPathExists() {
    for document in SourceTree.documents {
      for line in document.lines {
        let paths = line.matches(
          of: #/(?:^|[^A-Za-z\/])((?:Sources|Tests|deploy|config|\.ci)\/[A-Za-z0-9_.\/-]*[A-Za-z0-9])/#)
        for path in paths.map(\.output.1) {
          #expect(SourceTree.exists(String(path)), "\(document.path) names \(path)")
        }
      }
    }
  }

  /// Every suite and test that an article has its reader filter by.
  @Test func everyFilterFindsATest() {
    let names = Set(
      SourceTree.tests.flatMap(\.lines).flatMap { line in
        line.matches(of: #/(?:func|struct|class) ([A-Za-z]+)/#).map { String($0.output.1) }
      }
    ).union(SourceTree.tests.map(\.target))
    for document in SourceTree.documents {
      for line in document.lines {
        guard let filter = line.firstMatch(of: #/--filter '?([A-Za-z|.\/]+)'?/#)?.output.1 else { continue }
        for name in filter.split(whereSeparator: { "|./".contains($0) }) {
          #expect(names.contains { $0.contains(name) }, "\(document.path): \(name)")
        }
      }
    }
  }

  /// The drawing of an order's way: each file in it is there, and each target is in it.
  @Test func theDrawingOfTheWayIsTrue() throws {
    let article = try #require(SourceTree.file("Sources/Pipeline/Pipeline.docc/Pipeline.md"))
    let drawing = article.lines.split { $0.hasPrefix("```") }.first { $0.contains { $0.contains("▼") } }
    let lines = try #require(drawing)
    for line in lines {
      for name in line.matches(of: #/[A-Za-z\/]+\.swift/#).map(\.output) {
        #expect(SourceTree.sources.contains { $0.path.hasSuffix("/" + name) }, "\(name)")
      }
    }
    let text = lines.joined(separator: "\n")
    for target in Set(SourceTree.sources.map(\.target)) {
      #expect(text.contains("Sources/\(target)"), "\(target)")
    }
  }

  /// The table below it: each folder of a target is in it, and no other.
  @Test func theTableOfFoldersIsTrue() throws {
    let article = try #require(SourceTree.file("Sources/Pipeline/Pipeline.docc/Pipeline.md"))
    let rows = article.lines.compactMap { $0.wholeMatch(of: #/\| ([A-Za-z]+) \| (.*) \|/#)?.output }
    let paths = SourceTree.sources.map { $0.folder.split(separator: "/") }.filter { $0.count > 2 }
    for (target, folders) in Dictionary(grouping: paths, by: { $0[1] }) {
      let named = rows.first { $0.1 == target }?.2.matches(of: #/`([A-Z][A-Za-z]+)`/#).map(\.output.1) ?? []
      #expect(Set(named) == Set(folders.map { $0[2] }), "\(target)")
    }
  }

  /// The changelog is for operators: it names nothing that only a reader of the code knows.
  @Test func theChangelogNamesNoFile() throws {
    let changelog = try #require(SourceTree.file("deploy/CHANGELOG.md"))
    for line in changelog.lines { #expect(!line.contains(".swift"), "\(line)") }
  }
}
