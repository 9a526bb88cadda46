// Package parts is what every page is made of: the frame around it, buttons,
// fields, rows, banners. A practitioner meets the same thing in the same place,
// looking and behaving the same way, on every page.
//
// Each part is a struct that says what to show, and a View that draws it:
//
//	@parts.AppShell(p.Shell) {
//		@parts.PageHead{Title: "People", Lede: "4 people", CountID: "count",
//			Actions: []parts.Button{{Label: "New Client", Kind: parts.Primary, Icon: "user-plus", Href: "/people/new"}}}.View()
//		@p.Problems.Summary()
//		@parts.Form{Action: "/people"}.View() {
//			@parts.Input{Name: "email", Label: "E-mail", Kind: parts.Email, Value: p.Email, Problem: p.Problems.For("email")}.View()
//			@parts.Button{Label: "Create", Kind: parts.Primary}.View()
//		}
//	}
//
// Frames: [Doorway] for guests (children are the pane; [Shell].Picture the wide
// screen's other half), [AppShell] for practitioners, [ClientShell] for clients.
// Every page has one [PageHead] (it holds the h1). A frame shows the links that
// it is given and no others.
//
// Parts with children: [Form], [Card], [Notice], [Details], [Group], [Tick]
// (words beside the box when Label is empty). All others are complete.
//
// Rules that the parts keep, so that pages need not:
//   - Everything is a link or a form first; scripts find their place by
//     data- attributes and only improve it. No style="", no on…="", no inline
//     script but the import map.
//   - A field's id is "f-" and its name; [Problems.Summary] links there. Hint
//     and problem are tied to the field by aria-describedby.
//   - A visible label begins the accessible name; Button.Hidden adds the words
//     that tell one row's button from the next.
//   - State is words and a shape, colour last.
//   - Every text is escaped. There is no way to pass HTML except a component.
//
// What a page has by the hundred (a [Table]'s rows, [Person], [Words], [Status],
// [Avatar], [Button], [ButtonForm], [Icon]) is not a template: a [Pen] draws it,
// at a tenth of the cost. Such a part has a Draw instead, and still is a
// component with a View. A page may draw cells of its own the same way:
//
//	func (c cell) Draw(p *parts.Pen) {
//		p.Put(`<a class="keep"`)
//		p.Attr("href", c.address)
//		p.Put(`>`)
//		p.Text(c.name)
//		p.Put(`</a>`)
//	}
//
// Put takes a type that has no name outside this package. A constant becomes it
// by itself and a string never does, so a name that somebody typed cannot be
// passed as markup: it does not compile. (Reflection or a generic function could
// be bent around that; nobody does so without meaning to.) What is left is where
// in the markup words may stand, and that a test reads from the source.
//
// Forms never nest: a [Table] with a [Bulk] ties its boxes to the bulk form by
// the form attribute, so a row may hold forms of its own ([ButtonForm]).
package parts
