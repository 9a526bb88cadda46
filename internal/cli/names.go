package cli

import "strings"

// Invented people are made of these. No line stands for anybody.
var (
	firstNames = strings.Fields(`Ada Adela Agnes Aisha Albert Alice Alma Amara Amir Anders Anika Anton Arif Arlo Astrid August Aurora Basil Beatrix Bela Benno
		Bianca Bruno Calla Camille Carmen Caspar Cecily Chidi Clara Clement Cora Cyrus Dalia Dario Delia Dimitri Dora Edda Edgar Elena Elias Elif Emeka Enid Erik
		Esther Eva Fabian Farah Felix Fiona Flora Frida Gideon Greta Hana Hanno Hassan Hedda Hugo Ida Ilya Imani Ines Ingrid Iris Isaac Ivo Jada Jasper Joaquin
		Jonas Juno Kamal Karim Katya Kenji Kiran Lamar Lara Leila Leo Lina Linus Lotte Luca Mai Malik Marta Matteo Maya Milan Mina Mira Nadia Nash Nils Noa Nora
		Odette Olga Omar Oskar Otis Paloma Pavel Petra Quinn Rafael Ravi Rhea Roman Rosa Ruth Saba Sami Selma Simon Sofia Soren Stella Tamar Tariq Thea Tilda
		Tomas Uma Ursula Vera Viktor Wanda Willa Xenia Yara Yusuf Zara Zeno Zoë`)
	lastNames = strings.Fields(`Abbott Adeyemi Alder Almeida Amsel Andrade Arden Ashby Bachmann Baptiste Barlow Becerra Bellamy Bergström Birch Blackwood Bram Brandt
		Calloway Cardoso Castellan Chaudhry Claes Coldwell Corbin Cresswell Dahl Danso Delacroix Demir Drummond Eklund Ellery Espinoza Falk Farrow Fenwick Ferreira
		Finch Forsyth Galanis Garrow Gentry Gruber Hale Halvorsen Harrow Hartwell Haugen Hidalgo Holloway Iqbal Isaksen Jansen Jarrett Kaminski Kapoor Kestrel
		Kingsley Kovač Laird Lang Larkin Leclerc Lindgren Lockwood Lund Maddox Marchetti Marlowe Mbeki Mercer Montrose Nakagawa Navarro Ness Nightingale Novak
		O’Dell Oakes Okafor Ortega Osei Pascal Pemberton Pereira Quill Radley Ramsey Redfern Reyes Rosario Rowan Sandoval Sayer Sørensen Stark Strand Sutter
		Tamura Thorne Tiller Torres Underhill Vance Varga Villareal Vogel Wakefield Warwick Weller Whitlock Winslow Yamada Yates Zeller`)
)
