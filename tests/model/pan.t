#ifdef PEG
struct T_SRC {
	char *fl; int ln;
} T_SRC[NTRANS];

void
tr_2_src(int m, char *file, int ln)
{	T_SRC[m].fl = file;
	T_SRC[m].ln = ln;
}

void
putpeg(int n, int m)
{	printf("%5d	trans %4d ", m, n);
	printf("%s:%d\n",
		T_SRC[n].fl, T_SRC[n].ln);
}
#endif

void
settable(void)
{	Trans *T;
	Trans *settr(int, int, int, int, int, char *, int, int, int);

	trans = (Trans ***) emalloc(4*sizeof(Trans **));

	/* proctype 2: :init: */

	trans[2] = (Trans **) emalloc(22*sizeof(Trans *));

	T = trans[ 2][20] = settr(937,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(937,2,7,0,0,"ATOMIC", 1, 2, 0);
	trans[2][8]	= settr(925,2,7,1,0,".(goto)", 1, 2, 0);
	T = trans[2][7] = settr(924,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(924,2,1,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(924,2,5,0,0,"DO", 1, 2, 0);
	trans[2][1]	= settr(918,2,7,3,3,"((i<2))", 1, 2, 0); /* m: 2 -> 7,0 */
	reached2[2] = 1;
	trans[2][2]	= settr(0,0,0,0,0,"loaded[i] = ( ((i<2)) -> (i) : ((2-1)) )",0,0,0);
	trans[2][3]	= settr(0,0,0,0,0,"cpus[loaded[i]] = (cpus[loaded[i]]|(1<<i))",0,0,0);
	trans[2][4]	= settr(0,0,0,0,0,"i = (i+1)",0,0,0);
	trans[2][5]	= settr(922,2,10,2,0,"else", 1, 2, 0);
	trans[2][6]	= settr(923,2,10,1,0,"goto :b46", 1, 2, 0); /* m: 10 -> 0,17 */
	reached2[10] = 1;
	trans[2][9]	= settr(926,2,10,1,0,"break", 1, 2, 0);
	trans[2][10]	= settr(927,2,17,4,4,"i = 0", 1, 2, 0);
	trans[2][18]	= settr(935,2,17,1,0,".(goto)", 1, 2, 0);
	T = trans[2][17] = settr(934,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(934,2,11,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(934,2,15,0,0,"DO", 1, 2, 0);
	trans[2][11]	= settr(928,2,12,5,0,"((i<2))", 1, 2, 0);
	trans[2][12]	= settr(929,2,13,6,6,"(run cpu(i))", 1, 2, 0);
	trans[2][13]	= settr(930,2,14,7,7,"(run walker(i))", 1, 2, 0);
	trans[2][14]	= settr(931,2,17,8,8,"i = (i+1)", 1, 2, 0);
	trans[2][15]	= settr(932,2,16,2,0,"else", 1, 2, 0);
	trans[2][16]	= settr(933,2,19,1,0,"goto :b47", 1, 2, 0);
	trans[2][19]	= settr(936,0,21,1,0,"break", 1, 2, 0);
	trans[2][21]	= settr(938,0,0,9,9,"-end-", 0, 3500, 0);

	/* proctype 1: cpu */

	trans[1] = (Trans **) emalloc(912*sizeof(Trans *));

	trans[1][1]	= settr(7,0,19,10,10,"c = loaded[me]", 1, 2, 0);
	T = trans[ 1][19] = settr(25,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(25,2,2,0,0,"ATOMIC", 1, 2, 0);
	trans[1][2]	= settr(8,2,9,11,11,"user[me] = 1", 1, 2, 0); /* m: 3 -> 0,9 */
	reached1[3] = 1;
	trans[1][3]	= settr(0,0,0,0,0,"n = 0",0,0,0);
	trans[1][10]	= settr(16,2,9,1,0,".(goto)", 1, 2, 0);
	T = trans[1][9] = settr(15,2,0,0,0,"DO", 1, 2, 0);
	T = T->nxt	= settr(15,2,4,0,0,"DO", 1, 2, 0);
	    T->nxt	= settr(15,2,7,0,0,"DO", 1, 2, 0);
	trans[1][4]	= settr(10,2,9,12,12,"((n<2))", 1, 2, 0); /* m: 5 -> 9,0 */
	reached1[5] = 1;
	trans[1][5]	= settr(0,0,0,0,0,"owes[n] = (owes[n]&~((1<<me)))",0,0,0);
	trans[1][6]	= settr(0,0,0,0,0,"n = (n+1)",0,0,0);
	trans[1][7]	= settr(13,2,12,2,0,"else", 1, 2, 0);
	trans[1][8]	= settr(14,2,12,1,0,"goto :b1", 1, 2, 0); /* m: 12 -> 0,908 */
	reached1[12] = 1;
	trans[1][11]	= settr(17,2,12,1,0,"break", 1, 2, 0);
	trans[1][12]	= settr(18,4,908,13,13,"f = 0", 1, 2, 0); /* m: 13 -> 0,908 */
	reached1[13] = 1;
	trans[1][13]	= settr(0,0,0,0,0,"n = 0",0,0,0);
	trans[1][14]	= settr(0,0,0,0,0,"mine = 0",0,0,0);
	trans[1][15]	= settr(0,0,0,0,0,"all_here = 0",0,0,0);
	trans[1][16]	= settr(0,0,0,0,0,"word[me] = 0",0,0,0);
	trans[1][17]	= settr(0,0,0,0,0,"presented[me] = 0",0,0,0);
	trans[1][18]	= settr(0,0,0,0,0,"c = loaded[me]",0,0,0);
	T = trans[1][908] = settr(914,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,25,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,59,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,72,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,90,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,115,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,302,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(914,0,668,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(914,0,687,0,0,"IF", 0, 2, 0);
	T = trans[ 1][25] = settr(31,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(31,2,20,0,0,"ATOMIC", 1, 2, 0);
	trans[1][20]	= settr(26,2,24,14,14,"(stop)", 1, 2, 0); /* m: 21 -> 24,0 */
	reached1[21] = 1;
	trans[1][21]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][24] = settr(30,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(30,0,22,0,0,"sub-sequence", 1, 2, 0);
	trans[1][22]	= settr(28,4,53,15,15,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 23 -> 0,53 */
	reached1[23] = 1;
	trans[1][23]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][53] = settr(59,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(59,0,50,0,0,"sub-sequence", 0, 2, 0);
	trans[1][51]	= settr(57,0,50,1,0,".(goto)", 0, 2, 0);
	T = trans[1][50] = settr(56,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(56,0,28,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(56,0,48,0,0,"DO", 0, 2, 0);
	T = trans[ 1][28] = settr(34,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(34,2,26,0,0,"ATOMIC", 1, 2, 0);
	trans[1][26]	= settr(32,4,29,16,16,"(stop)", 1, 2, 0); /* m: 27 -> 29,0 */
	reached1[27] = 1;
	trans[1][27]	= settr(0,0,0,0,0,"parked[me] = 1",0,0,0);
	trans[1][29]	= settr(35,0,46,17,0,"((!(stop)||!(parked[me])))", 1, 2, 0);
	T = trans[1][46] = settr(52,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(52,0,32,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(52,0,45,0,0,"IF", 0, 2, 0);
	T = trans[ 1][32] = settr(38,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(38,2,30,0,0,"ATOMIC", 1, 2, 0);
	trans[1][30]	= settr(36,4,44,18,18,"(told[me])", 1, 2, 0); /* m: 31 -> 44,0 */
	reached1[31] = 1;
	trans[1][31]	= settr(0,0,0,0,0,"told[me] = 0",0,0,0);
	T = trans[ 1][44] = settr(50,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(50,0,43,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][43]	= settr(49,32,50,19,19,"D_STEP18", 1, 2, 0);
	trans[1][47]	= settr(53,0,50,1,0,".(goto)", 0, 2, 0);
	trans[1][45]	= settr(51,0,50,2,0,"else", 0, 2, 0);
	trans[1][48]	= settr(54,0,19,2,0,"else", 0, 2, 0);
	trans[1][49]	= settr(55,0,19,1,0,"goto :b2", 0, 2, 0);
	trans[1][52]	= settr(58,0,19,1,0,"break", 0, 2, 0);
	trans[1][909]	= settr(915,0,19,1,0,".(goto)", 0, 2, 0);
	T = trans[ 1][59] = settr(65,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(65,2,54,0,0,"ATOMIC", 1, 2, 0);
	trans[1][54]	= settr(60,2,58,20,20,"((tag[c]==2))", 1, 2, 0); /* m: 55 -> 58,0 */
	reached1[55] = 1;
	trans[1][55]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][58] = settr(64,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(64,0,56,0,0,"sub-sequence", 1, 2, 0);
	trans[1][56]	= settr(62,4,66,21,21,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 57 -> 0,66 */
	reached1[57] = 1;
	trans[1][57]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][66] = settr(72,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(72,0,64,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][64] = settr(70,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(70,0,60,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(70,0,63,0,0,"IF", 0, 2, 0);
	trans[1][60]	= settr(66,0,61,22,0,"((tag[c]==2))", 1, 2, 0);
	trans[1][61]	= settr(67,0,62,23,23,"word[me] = pte[c]", 1, 2, 0);
	trans[1][62]	= settr(68,0,19,24,24,"slot[c] = word[me]", 1, 2, 0);
	trans[1][65]	= settr(71,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][63]	= settr(69,0,19,2,0,"else", 0, 2, 0);
	T = trans[ 1][72] = settr(78,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(78,2,67,0,0,"ATOMIC", 1, 2, 0);
	trans[1][67]	= settr(73,2,71,25,25,"((tag[c]==2))", 1, 2, 0); /* m: 68 -> 71,0 */
	reached1[68] = 1;
	trans[1][68]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][71] = settr(77,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(77,0,69,0,0,"sub-sequence", 1, 2, 0);
	trans[1][69]	= settr(75,4,76,26,26,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 70 -> 0,76 */
	reached1[70] = 1;
	trans[1][70]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][76] = settr(82,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(82,0,73,0,0,"sub-sequence", 0, 2, 0);
	trans[1][73]	= settr(79,0,74,27,27,"slot[c] = 0", 1, 2, 0);
	trans[1][74]	= settr(80,0,75,28,28,"tag[c] = 1", 1, 2, 0);
	trans[1][75]	= settr(81,0,19,29,29,"tlb[((me*2)+c)] = 0", 1, 2, 0);
	T = trans[ 1][90] = settr(96,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(96,2,77,0,0,"ATOMIC", 1, 2, 0);
	trans[1][77]	= settr(83,2,85,30,0,"((tag[c]==1))", 1, 2, 0);
	T = trans[ 1][85] = settr(91,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(91,0,82,0,0,"sub-sequence", 1, 2, 0);
	T = trans[1][82] = settr(88,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(88,2,78,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(88,2,80,0,0,"IF", 1, 2, 0);
	trans[1][78]	= settr(84,2,89,31,31,"((owner[0]!=0))", 1, 2, 0); /* m: 79 -> 89,0 */
	reached1[79] = 1;
	trans[1][79]	= settr(0,0,0,0,0,"f = 0",0,0,0);
	trans[1][83]	= settr(89,2,84,1,0,".(goto)", 1, 2, 0); /* m: 84 -> 0,89 */
	reached1[84] = 1;
	trans[1][80]	= settr(86,2,89,32,32,"((owner[1]!=0))", 1, 2, 0); /* m: 81 -> 89,0 */
	reached1[81] = 1;
	trans[1][81]	= settr(0,0,0,0,0,"f = 1",0,0,0);
	trans[1][84]	= settr(90,2,89,33,33,"presented[me] = (f+1)", 1, 2, 0); /* m: 86 -> 0,89 */
	reached1[86] = 1;
	trans[1][86]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][89] = settr(95,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(95,0,87,0,0,"sub-sequence", 1, 2, 0);
	trans[1][87]	= settr(93,4,102,34,34,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 88 -> 0,102 */
	reached1[88] = 1;
	trans[1][88]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][102] = settr(108,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(108,0,100,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][100] = settr(106,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(106,0,91,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(106,0,99,0,0,"IF", 0, 2, 0);
	trans[1][91]	= settr(97,0,92,35,0,"(((presented[me]==(f+1))&&!(dirty[f])))", 1, 2, 0);
	trans[1][92]	= settr(98,0,97,36,36,"word[me] = (f+1)", 1, 2, 0);
	T = trans[1][97] = settr(103,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(103,0,93,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(103,0,96,0,0,"IF", 0, 2, 0);
	trans[1][93]	= settr(99,0,94,37,37,"(((tag[c]==1)&&(pte[c]==(f+1))))", 1, 2, 0);
	trans[1][94]	= settr(100,0,95,38,38,"tag[c] = 2", 1, 2, 0);
	trans[1][95]	= settr(101,0,19,39,39,"slot[c] = word[me]", 1, 2, 0);
	trans[1][98]	= settr(104,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][96]	= settr(102,0,19,2,0,"else", 0, 2, 0);
	trans[1][101]	= settr(107,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][99]	= settr(105,0,19,2,0,"else", 0, 2, 0);
	T = trans[ 1][115] = settr(121,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(121,2,110,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 1][110] = settr(116,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(116,0,107,0,0,"sub-sequence", 1, 2, 0);
	T = trans[1][107] = settr(113,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(113,2,103,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(113,2,105,0,0,"IF", 1, 2, 0);
	trans[1][103]	= settr(109,2,114,40,40,"((owner[0]!=0))", 1, 2, 0); /* m: 104 -> 114,0 */
	reached1[104] = 1;
	trans[1][104]	= settr(0,0,0,0,0,"f = 0",0,0,0);
	trans[1][108]	= settr(114,2,109,1,0,".(goto)", 1, 2, 0); /* m: 109 -> 0,114 */
	reached1[109] = 1;
	trans[1][105]	= settr(111,2,114,41,41,"((owner[1]!=0))", 1, 2, 0); /* m: 106 -> 114,0 */
	reached1[106] = 1;
	trans[1][106]	= settr(0,0,0,0,0,"f = 1",0,0,0);
	trans[1][109]	= settr(115,2,114,42,42,"presented[me] = (f+1)", 1, 2, 0); /* m: 111 -> 0,114 */
	reached1[111] = 1;
	trans[1][111]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][114] = settr(120,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(120,0,112,0,0,"sub-sequence", 1, 2, 0);
	trans[1][112]	= settr(118,4,121,43,43,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 113 -> 0,121 */
	reached1[113] = 1;
	trans[1][113]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][121] = settr(127,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(127,0,119,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][119] = settr(125,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(125,0,116,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(125,0,117,0,0,"IF", 0, 2, 0);
	trans[1][116]	= settr(122,0,289,44,44,"c = 0", 0, 2, 0);
	trans[1][120]	= settr(126,0,289,1,0,".(goto)", 0, 2, 0);
	trans[1][117]	= settr(123,0,289,45,45,"((2>1))", 0, 2, 0); /* m: 118 -> 289,0 */
	reached1[118] = 1;
	trans[1][118]	= settr(0,0,0,0,0,"c = 1",0,0,0);
	T = trans[ 1][289] = settr(295,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(295,0,287,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][287] = settr(293,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(293,0,122,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(293,0,162,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(293,0,286,0,0,"IF", 0, 2, 0);
	trans[1][122]	= settr(128,0,161,46,0,"((cpus[c]==(1<<me)))", 1, 2, 0);
	T = trans[ 1][161] = settr(167,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(167,0,139,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][139] = settr(145,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(145,0,137,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][137] = settr(143,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(143,0,123,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(143,0,136,0,0,"IF", 0, 2, 0);
	trans[1][123]	= settr(129,0,124,47,0,"(((pte[c]!=0)&&(pte[c]!=(f+1))))", 1, 2, 0);
	trans[1][124]	= settr(130,0,125,48,48,"tag[c] = 1", 1, 2, 0);
	trans[1][125]	= settr(131,0,126,49,49,"slot[c] = 0", 1, 2, 0);
	trans[1][126]	= settr(132,0,127,50,50,"tlb[((me*2)+c)] = 0", 1, 2, 0);
	trans[1][127]	= settr(133,0,131,51,51,"mine = (pte[c]-1)", 1, 2, 0);
	T = trans[ 1][131] = settr(137,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(137,0,130,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][130] = settr(136,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(136,2,128,0,0,"ATOMIC", 1, 2, 0);
	trans[1][128]	= settr(134,4,132,52,52,"(!(list_lock[mine]))", 1, 2, 0); /* m: 129 -> 132,0 */
	reached1[129] = 1;
	trans[1][129]	= settr(0,0,0,0,0,"list_lock[mine] = 1",0,0,0);
	trans[1][132]	= settr(138,0,134,53,53,"pte[c] = 0", 1, 2, 0);
	T = trans[ 1][134] = settr(140,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(140,0,133,0,0,"sub-sequence", 0, 2, 0);
	trans[1][133]	= settr(139,0,135,54,54,"list_lock[mine] = 0", 1, 2, 0);
	trans[1][135]	= settr(141,0,143,55,55,"mine = 0", 0, 2, 0);
	trans[1][138]	= settr(144,0,143,1,0,".(goto)", 0, 2, 0);
	trans[1][136]	= settr(142,0,143,2,0,"else", 0, 2, 0);
	T = trans[ 1][143] = settr(149,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(149,0,142,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][142] = settr(148,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(148,2,140,0,0,"ATOMIC", 1, 2, 0);
	trans[1][140]	= settr(146,4,150,56,56,"(!(list_lock[f]))", 1, 2, 0); /* m: 141 -> 150,0 */
	reached1[141] = 1;
	trans[1][141]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	T = trans[ 1][150] = settr(156,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(156,0,148,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][148] = settr(154,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(154,0,144,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(154,0,147,0,0,"IF", 0, 2, 0);
	trans[1][144]	= settr(150,0,145,57,0,"(dirty[f])", 1, 2, 0);
	trans[1][145]	= settr(151,0,146,58,58,"old_bytes[f] = 0", 1, 2, 0);
	trans[1][146]	= settr(152,0,157,59,59,"dirty[f] = 0", 1, 2, 0);
	trans[1][149]	= settr(155,0,157,1,0,".(goto)", 0, 2, 0);
	trans[1][147]	= settr(153,0,157,2,0,"else", 0, 2, 0);
	T = trans[1][157] = settr(163,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(163,0,151,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(163,0,156,0,0,"IF", 0, 2, 0);
	trans[1][151]	= settr(157,0,152,60,0,"((presented[me]==(f+1)))", 1, 2, 0);
	trans[1][152]	= settr(158,0,153,61,61,"word[me] = (f+1)", 1, 2, 0);
	trans[1][153]	= settr(159,0,154,62,62,"pte[c] = word[me]", 1, 2, 0);
	trans[1][154]	= settr(160,0,155,63,63,"tag[c] = 2", 1, 2, 0);
	trans[1][155]	= settr(161,0,160,64,64,"slot[c] = word[me]", 1, 2, 0);
	trans[1][158]	= settr(164,0,160,1,0,".(goto)", 0, 2, 0);
	trans[1][156]	= settr(162,0,160,2,0,"else", 0, 2, 0);
	T = trans[ 1][160] = settr(166,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(166,0,159,0,0,"sub-sequence", 0, 2, 0);
	trans[1][159]	= settr(165,0,19,65,65,"list_lock[f] = 0", 1, 2, 0);
	trans[1][288]	= settr(294,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][162]	= settr(168,0,216,66,0,"((!((cpus[c]==(1<<me)))&&1))", 1, 2, 0);
	T = trans[ 1][216] = settr(222,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(222,0,166,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][166] = settr(172,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(172,2,163,0,0,"ATOMIC", 1, 2, 0);
	trans[1][163]	= settr(169,0,201,67,67,"mine = next_ticket", 1, 2, 0); /* m: 164 -> 0,201 */
	reached1[164] = 1;
	trans[1][164]	= settr(0,0,0,0,0,"next_ticket = ((next_ticket+1)%(2+1))",0,0,0);
	trans[1][165]	= settr(0,0,0,0,0,"waits[me] = 1",0,0,0);
	trans[1][202]	= settr(208,0,201,1,0,".(goto)", 0, 2, 0);
	T = trans[1][201] = settr(207,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(207,0,171,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(207,0,172,0,0,"DO", 0, 2, 0);
	T = trans[ 1][171] = settr(177,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(177,2,167,0,0,"ATOMIC", 1, 2, 0);
	trans[1][167]	= settr(173,4,204,68,68,"((now_serving==mine))", 1, 2, 0); /* m: 168 -> 204,0 */
	reached1[168] = 1;
	trans[1][168]	= settr(0,0,0,0,0,"waits[me] = 0",0,0,0);
	trans[1][169]	= settr(0,0,0,0,0,"mine = 0",0,0,0);
	trans[1][170]	= settr(176,0,204,1,0,"goto :b4", 1, 2, 0);
	trans[1][172]	= settr(178,0,200,69,0,"(((now_serving!=mine)&&stop))", 1, 2, 0);
	T = trans[ 1][200] = settr(206,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(206,0,197,0,0,"sub-sequence", 0, 2, 0);
	trans[1][198]	= settr(204,0,197,1,0,".(goto)", 0, 2, 0);
	T = trans[1][197] = settr(203,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(203,0,175,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(203,0,195,0,0,"DO", 0, 2, 0);
	T = trans[ 1][175] = settr(181,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(181,2,173,0,0,"ATOMIC", 1, 2, 0);
	trans[1][173]	= settr(179,4,176,70,70,"(stop)", 1, 2, 0); /* m: 174 -> 176,0 */
	reached1[174] = 1;
	trans[1][174]	= settr(0,0,0,0,0,"parked[me] = 1",0,0,0);
	trans[1][176]	= settr(182,0,193,71,0,"((!(stop)||!(parked[me])))", 1, 2, 0);
	T = trans[1][193] = settr(199,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(199,0,179,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(199,0,192,0,0,"IF", 0, 2, 0);
	T = trans[ 1][179] = settr(185,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(185,2,177,0,0,"ATOMIC", 1, 2, 0);
	trans[1][177]	= settr(183,4,191,72,72,"(told[me])", 1, 2, 0); /* m: 178 -> 191,0 */
	reached1[178] = 1;
	trans[1][178]	= settr(0,0,0,0,0,"told[me] = 0",0,0,0);
	T = trans[ 1][191] = settr(197,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(197,0,190,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][190]	= settr(196,32,197,73,73,"D_STEP18", 1, 2, 0);
	trans[1][194]	= settr(200,0,197,1,0,".(goto)", 0, 2, 0);
	trans[1][192]	= settr(198,0,197,2,0,"else", 0, 2, 0);
	trans[1][195]	= settr(201,0,201,2,0,"else", 0, 2, 0);
	trans[1][196]	= settr(202,0,201,1,0,"goto :b5", 0, 2, 0);
	trans[1][199]	= settr(205,0,201,1,0,"break", 0, 2, 0);
	trans[1][203]	= settr(209,0,204,1,0,"break", 0, 2, 0);
	trans[1][204]	= settr(210,0,205,1,0,"(1)", 0, 2, 0);
	trans[1][205]	= settr(211,0,206,74,74,"stop = 1", 1, 2, 0);
	trans[1][206]	= settr(212,0,213,75,75,"n = 0", 0, 2, 0);
	trans[1][214]	= settr(220,0,213,1,0,".(goto)", 0, 2, 0);
	T = trans[1][213] = settr(219,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(219,0,207,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(219,0,210,0,0,"DO", 0, 2, 0);
	trans[1][207]	= settr(213,0,208,76,0,"((n<2))", 0, 2, 0);
	trans[1][208]	= settr(214,0,209,77,0,"(((n==me)||parked[n]))", 1, 2, 0);
	trans[1][209]	= settr(215,0,213,78,78,"n = (n+1)", 0, 2, 0);
	trans[1][210]	= settr(216,0,211,2,0,"else", 0, 2, 0);
	trans[1][211]	= settr(217,0,258,79,79,"n = 0", 0, 2, 0);
	trans[1][212]	= settr(218,0,258,1,0,"goto :b7", 0, 2, 0);
	trans[1][215]	= settr(221,0,258,1,0,"break", 0, 2, 0);
	T = trans[1][258] = settr(264,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(264,0,217,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(264,0,257,0,0,"IF", 0, 2, 0);
	trans[1][217]	= settr(223,0,256,80,0,"((presented[me]==(f+1)))", 1, 2, 0);
	T = trans[ 1][256] = settr(262,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(262,0,234,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][234] = settr(240,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(240,0,232,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][232] = settr(238,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(238,0,218,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(238,0,231,0,0,"IF", 0, 2, 0);
	trans[1][218]	= settr(224,0,219,81,0,"(((pte[c]!=0)&&(pte[c]!=(f+1))))", 1, 2, 0);
	trans[1][219]	= settr(225,0,220,82,82,"tag[c] = 1", 1, 2, 0);
	trans[1][220]	= settr(226,0,221,83,83,"slot[c] = 0", 1, 2, 0);
	trans[1][221]	= settr(227,0,222,84,84,"tlb[((me*2)+c)] = 0", 1, 2, 0);
	trans[1][222]	= settr(228,0,226,85,85,"mine = (pte[c]-1)", 1, 2, 0);
	T = trans[ 1][226] = settr(232,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(232,0,225,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][225] = settr(231,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(231,2,223,0,0,"ATOMIC", 1, 2, 0);
	trans[1][223]	= settr(229,4,227,86,86,"(!(list_lock[mine]))", 1, 2, 0); /* m: 224 -> 227,0 */
	reached1[224] = 1;
	trans[1][224]	= settr(0,0,0,0,0,"list_lock[mine] = 1",0,0,0);
	trans[1][227]	= settr(233,0,229,87,87,"pte[c] = 0", 1, 2, 0);
	T = trans[ 1][229] = settr(235,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(235,0,228,0,0,"sub-sequence", 0, 2, 0);
	trans[1][228]	= settr(234,0,230,88,88,"list_lock[mine] = 0", 1, 2, 0);
	trans[1][230]	= settr(236,0,238,89,89,"mine = 0", 0, 2, 0);
	trans[1][233]	= settr(239,0,238,1,0,".(goto)", 0, 2, 0);
	trans[1][231]	= settr(237,0,238,2,0,"else", 0, 2, 0);
	T = trans[ 1][238] = settr(244,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(244,0,237,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][237] = settr(243,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(243,2,235,0,0,"ATOMIC", 1, 2, 0);
	trans[1][235]	= settr(241,4,245,90,90,"(!(list_lock[f]))", 1, 2, 0); /* m: 236 -> 245,0 */
	reached1[236] = 1;
	trans[1][236]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	T = trans[ 1][245] = settr(251,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(251,0,243,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][243] = settr(249,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(249,0,239,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(249,0,242,0,0,"IF", 0, 2, 0);
	trans[1][239]	= settr(245,0,240,91,0,"(dirty[f])", 1, 2, 0);
	trans[1][240]	= settr(246,0,241,92,92,"old_bytes[f] = 0", 1, 2, 0);
	trans[1][241]	= settr(247,0,252,93,93,"dirty[f] = 0", 1, 2, 0);
	trans[1][244]	= settr(250,0,252,1,0,".(goto)", 0, 2, 0);
	trans[1][242]	= settr(248,0,252,2,0,"else", 0, 2, 0);
	T = trans[1][252] = settr(258,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(258,0,246,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(258,0,251,0,0,"IF", 0, 2, 0);
	trans[1][246]	= settr(252,0,247,94,0,"((presented[me]==(f+1)))", 1, 2, 0);
	trans[1][247]	= settr(253,0,248,95,95,"word[me] = (f+1)", 1, 2, 0);
	trans[1][248]	= settr(254,0,249,96,96,"pte[c] = word[me]", 1, 2, 0);
	trans[1][249]	= settr(255,0,250,97,97,"tag[c] = 2", 1, 2, 0);
	trans[1][250]	= settr(256,0,255,98,98,"slot[c] = word[me]", 1, 2, 0);
	trans[1][253]	= settr(259,0,255,1,0,".(goto)", 0, 2, 0);
	trans[1][251]	= settr(257,0,255,2,0,"else", 0, 2, 0);
	T = trans[ 1][255] = settr(261,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(261,0,254,0,0,"sub-sequence", 0, 2, 0);
	trans[1][254]	= settr(260,0,271,99,99,"list_lock[f] = 0", 1, 2, 0);
	trans[1][259]	= settr(265,0,271,1,0,".(goto)", 0, 2, 0);
	trans[1][257]	= settr(263,0,271,2,0,"else", 0, 2, 0);
	T = trans[ 1][271] = settr(277,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(277,0,270,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][270]	= settr(276,32,285,100,100,"D_STEP59", 1, 2, 0);
	T = trans[ 1][285] = settr(291,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(291,0,283,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][283]	= settr(289,32,284,101,101,"D_STEP62", 1, 2, 0);
	trans[1][284]	= settr(290,0,19,102,102,"now_serving = ((now_serving+1)%(2+1))", 1, 2, 0);
	trans[1][286]	= settr(292,0,19,2,0,"else", 0, 2, 0);
	T = trans[ 1][302] = settr(308,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(308,2,297,0,0,"ATOMIC", 1, 2, 0);
	T = trans[ 1][297] = settr(303,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(303,0,294,0,0,"sub-sequence", 1, 2, 0);
	T = trans[1][294] = settr(300,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(300,2,290,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(300,2,292,0,0,"IF", 1, 2, 0);
	trans[1][290]	= settr(296,2,301,103,103,"((owner[0]!=0))", 1, 2, 0); /* m: 291 -> 301,0 */
	reached1[291] = 1;
	trans[1][291]	= settr(0,0,0,0,0,"f = 0",0,0,0);
	trans[1][295]	= settr(301,2,296,1,0,".(goto)", 1, 2, 0); /* m: 296 -> 0,301 */
	reached1[296] = 1;
	trans[1][292]	= settr(298,2,301,104,104,"((owner[1]!=0))", 1, 2, 0); /* m: 293 -> 301,0 */
	reached1[293] = 1;
	trans[1][293]	= settr(0,0,0,0,0,"f = 1",0,0,0);
	trans[1][296]	= settr(302,2,301,105,105,"presented[me] = (f+1)", 1, 2, 0); /* m: 298 -> 0,301 */
	reached1[298] = 1;
	trans[1][298]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][301] = settr(307,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(307,0,299,0,0,"sub-sequence", 1, 2, 0);
	trans[1][299]	= settr(305,4,663,106,106,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 300 -> 0,663 */
	reached1[300] = 1;
	trans[1][300]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][663] = settr(669,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(669,0,306,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][306] = settr(312,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(312,0,305,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][305] = settr(311,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(311,2,303,0,0,"ATOMIC", 1, 2, 0);
	trans[1][303]	= settr(309,4,661,107,107,"(!(list_lock[f]))", 1, 2, 0); /* m: 304 -> 661,0 */
	reached1[304] = 1;
	trans[1][304]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	T = trans[1][661] = settr(667,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(667,0,307,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(667,0,658,0,0,"IF", 0, 2, 0);
	trans[1][307]	= settr(313,0,319,108,0,"((presented[me]==(f+1)))", 1, 2, 0);
/*->*/	trans[1][319]	= settr(325,32,656,109,109,"D_STEP121", 1, 2, 0);
	T = trans[1][656] = settr(662,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(662,0,320,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(662,0,437,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(662,0,653,0,0,"IF", 0, 2, 0);
	trans[1][320]	= settr(326,0,336,110,110,"(all_here)", 0, 2, 0);
	T = trans[ 1][336] = settr(342,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(342,0,335,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][335]	= settr(341,32,338,111,111,"D_STEP12", 1, 2, 0);
	T = trans[ 1][338] = settr(344,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(344,0,337,0,0,"sub-sequence", 0, 2, 0);
	trans[1][337]	= settr(343,0,359,112,112,"list_lock[f] = 0", 1, 2, 0);
	T = trans[ 1][359] = settr(365,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(365,0,339,0,0,"sub-sequence", 0, 2, 0);
	trans[1][339]	= settr(345,0,355,113,113,"c = 0", 0, 2, 0);
	trans[1][356]	= settr(362,0,355,1,0,".(goto)", 0, 2, 0);
	T = trans[1][355] = settr(361,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(361,0,340,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(361,0,351,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(361,0,353,0,0,"DO", 0, 2, 0);
	trans[1][340]	= settr(346,0,341,114,0,"(((c<2)&&(pte[c]==(f+1))))", 1, 2, 0);
	trans[1][341]	= settr(347,0,342,115,115,"tag[c] = 0", 1, 2, 0);
	trans[1][342]	= settr(348,0,346,116,116,"slot[c] = 0", 1, 2, 0);
	T = trans[ 1][346] = settr(352,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(352,0,345,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][345] = settr(351,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(351,2,343,0,0,"ATOMIC", 1, 2, 0);
	trans[1][343]	= settr(349,4,347,117,117,"(!(list_lock[f]))", 1, 2, 0); /* m: 344 -> 347,0 */
	reached1[344] = 1;
	trans[1][344]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	trans[1][347]	= settr(353,0,349,118,118,"pte[c] = 0", 1, 2, 0);
	T = trans[ 1][349] = settr(355,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(355,0,348,0,0,"sub-sequence", 0, 2, 0);
	trans[1][348]	= settr(354,0,350,119,119,"list_lock[f] = 0", 1, 2, 0);
	trans[1][350]	= settr(356,0,355,120,120,"c = (c+1)", 0, 2, 0);
	trans[1][351]	= settr(357,0,352,121,0,"(((c<2)&&(pte[c]!=(f+1))))", 1, 2, 0);
	trans[1][352]	= settr(358,0,355,122,122,"c = (c+1)", 0, 2, 0);
	trans[1][353]	= settr(359,0,358,2,0,"else", 0, 2, 0);
	trans[1][354]	= settr(360,0,358,1,0,"goto :b12", 0, 2, 0);
	trans[1][357]	= settr(363,0,358,1,0,"break", 0, 2, 0);
	trans[1][358]	= settr(364,0,371,123,123,"c = loaded[me]", 1, 2, 0);
	T = trans[ 1][371] = settr(377,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(377,0,370,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][370]	= settr(376,32,436,124,124,"D_STEP18", 1, 2, 0);
	T = trans[ 1][436] = settr(442,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(442,0,435,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][435]	= settr(441,32,19,125,125,"D_STEP15", 1, 2, 0);
	trans[1][657]	= settr(663,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][437]	= settr(443,0,439,126,126,"((!(all_here)&&1))", 0, 2, 0);
	T = trans[ 1][439] = settr(445,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(445,0,438,0,0,"sub-sequence", 0, 2, 0);
	trans[1][438]	= settr(444,0,493,127,127,"list_lock[f] = 0", 1, 2, 0);
	T = trans[ 1][493] = settr(499,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(499,0,443,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][443] = settr(449,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(449,2,440,0,0,"ATOMIC", 1, 2, 0);
	trans[1][440]	= settr(446,0,478,128,128,"mine = next_ticket", 1, 2, 0); /* m: 441 -> 0,478 */
	reached1[441] = 1;
	trans[1][441]	= settr(0,0,0,0,0,"next_ticket = ((next_ticket+1)%(2+1))",0,0,0);
	trans[1][442]	= settr(0,0,0,0,0,"waits[me] = 1",0,0,0);
	trans[1][479]	= settr(485,0,478,1,0,".(goto)", 0, 2, 0);
	T = trans[1][478] = settr(484,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(484,0,448,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(484,0,449,0,0,"DO", 0, 2, 0);
	T = trans[ 1][448] = settr(454,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(454,2,444,0,0,"ATOMIC", 1, 2, 0);
	trans[1][444]	= settr(450,4,481,129,129,"((now_serving==mine))", 1, 2, 0); /* m: 445 -> 481,0 */
	reached1[445] = 1;
	trans[1][445]	= settr(0,0,0,0,0,"waits[me] = 0",0,0,0);
	trans[1][446]	= settr(0,0,0,0,0,"mine = 0",0,0,0);
	trans[1][447]	= settr(453,0,481,1,0,"goto :b18", 1, 2, 0);
	trans[1][449]	= settr(455,0,477,130,0,"(((now_serving!=mine)&&stop))", 1, 2, 0);
	T = trans[ 1][477] = settr(483,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(483,0,474,0,0,"sub-sequence", 0, 2, 0);
	trans[1][475]	= settr(481,0,474,1,0,".(goto)", 0, 2, 0);
	T = trans[1][474] = settr(480,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(480,0,452,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(480,0,472,0,0,"DO", 0, 2, 0);
	T = trans[ 1][452] = settr(458,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(458,2,450,0,0,"ATOMIC", 1, 2, 0);
	trans[1][450]	= settr(456,4,453,131,131,"(stop)", 1, 2, 0); /* m: 451 -> 453,0 */
	reached1[451] = 1;
	trans[1][451]	= settr(0,0,0,0,0,"parked[me] = 1",0,0,0);
	trans[1][453]	= settr(459,0,470,132,0,"((!(stop)||!(parked[me])))", 1, 2, 0);
	T = trans[1][470] = settr(476,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(476,0,456,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(476,0,469,0,0,"IF", 0, 2, 0);
	T = trans[ 1][456] = settr(462,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(462,2,454,0,0,"ATOMIC", 1, 2, 0);
	trans[1][454]	= settr(460,4,468,133,133,"(told[me])", 1, 2, 0); /* m: 455 -> 468,0 */
	reached1[455] = 1;
	trans[1][455]	= settr(0,0,0,0,0,"told[me] = 0",0,0,0);
	T = trans[ 1][468] = settr(474,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(474,0,467,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][467]	= settr(473,32,474,134,134,"D_STEP18", 1, 2, 0);
	trans[1][471]	= settr(477,0,474,1,0,".(goto)", 0, 2, 0);
	trans[1][469]	= settr(475,0,474,2,0,"else", 0, 2, 0);
	trans[1][472]	= settr(478,0,478,2,0,"else", 0, 2, 0);
	trans[1][473]	= settr(479,0,478,1,0,"goto :b19", 0, 2, 0);
	trans[1][476]	= settr(482,0,478,1,0,"break", 0, 2, 0);
	trans[1][480]	= settr(486,0,481,1,0,"break", 0, 2, 0);
	trans[1][481]	= settr(487,0,482,1,0,"(1)", 0, 2, 0);
	trans[1][482]	= settr(488,0,483,135,135,"stop = 1", 1, 2, 0);
	trans[1][483]	= settr(489,0,490,136,136,"n = 0", 0, 2, 0);
	trans[1][491]	= settr(497,0,490,1,0,".(goto)", 0, 2, 0);
	T = trans[1][490] = settr(496,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(496,0,484,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(496,0,487,0,0,"DO", 0, 2, 0);
	trans[1][484]	= settr(490,0,485,137,0,"((n<2))", 0, 2, 0);
	trans[1][485]	= settr(491,0,486,138,0,"(((n==me)||parked[n]))", 1, 2, 0);
	trans[1][486]	= settr(492,0,490,139,139,"n = (n+1)", 0, 2, 0);
	trans[1][487]	= settr(493,0,488,2,0,"else", 0, 2, 0);
	trans[1][488]	= settr(494,0,651,140,140,"n = 0", 0, 2, 0);
	trans[1][489]	= settr(495,0,651,1,0,"goto :b21", 0, 2, 0);
	trans[1][492]	= settr(498,0,651,1,0,"break", 0, 2, 0);
	T = trans[1][651] = settr(657,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(657,0,494,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(657,0,636,0,0,"IF", 0, 2, 0);
	trans[1][494]	= settr(500,0,510,141,0,"((presented[me]==(f+1)))", 1, 2, 0);
	T = trans[ 1][510] = settr(516,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(516,0,509,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][509]	= settr(515,32,635,142,142,"D_STEP12", 1, 2, 0);
	T = trans[ 1][635] = settr(641,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(641,0,531,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][531] = settr(537,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(537,0,511,0,0,"sub-sequence", 0, 2, 0);
	trans[1][511]	= settr(517,0,527,143,143,"c = 0", 0, 2, 0);
	trans[1][528]	= settr(534,0,527,1,0,".(goto)", 0, 2, 0);
	T = trans[1][527] = settr(533,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(533,0,512,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(533,0,523,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(533,0,525,0,0,"DO", 0, 2, 0);
	trans[1][512]	= settr(518,0,513,144,0,"(((c<2)&&(pte[c]==(f+1))))", 1, 2, 0);
	trans[1][513]	= settr(519,0,514,145,145,"tag[c] = 0", 1, 2, 0);
	trans[1][514]	= settr(520,0,518,146,146,"slot[c] = 0", 1, 2, 0);
	T = trans[ 1][518] = settr(524,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(524,0,517,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][517] = settr(523,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(523,2,515,0,0,"ATOMIC", 1, 2, 0);
	trans[1][515]	= settr(521,4,519,147,147,"(!(list_lock[f]))", 1, 2, 0); /* m: 516 -> 519,0 */
	reached1[516] = 1;
	trans[1][516]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	trans[1][519]	= settr(525,0,521,148,148,"pte[c] = 0", 1, 2, 0);
	T = trans[ 1][521] = settr(527,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(527,0,520,0,0,"sub-sequence", 0, 2, 0);
	trans[1][520]	= settr(526,0,522,149,149,"list_lock[f] = 0", 1, 2, 0);
	trans[1][522]	= settr(528,0,527,150,150,"c = (c+1)", 0, 2, 0);
	trans[1][523]	= settr(529,0,524,151,0,"(((c<2)&&(pte[c]!=(f+1))))", 1, 2, 0);
	trans[1][524]	= settr(530,0,527,152,152,"c = (c+1)", 0, 2, 0);
	trans[1][525]	= settr(531,0,530,2,0,"else", 0, 2, 0);
	trans[1][526]	= settr(532,0,530,1,0,"goto :b23", 0, 2, 0);
	trans[1][529]	= settr(535,0,530,1,0,"break", 0, 2, 0);
	trans[1][530]	= settr(536,0,543,153,153,"c = loaded[me]", 1, 2, 0);
	T = trans[ 1][543] = settr(549,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(549,0,542,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][542]	= settr(548,32,555,154,154,"D_STEP18", 1, 2, 0);
	T = trans[ 1][555] = settr(561,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(561,0,554,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][554]	= settr(560,32,620,155,155,"D_STEP59", 1, 2, 0);
	T = trans[ 1][620] = settr(626,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(626,0,619,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][619]	= settr(625,32,634,156,156,"D_STEP15", 1, 2, 0);
	T = trans[ 1][634] = settr(640,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(640,0,632,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][632]	= settr(638,32,633,157,157,"D_STEP62", 1, 2, 0);
	trans[1][633]	= settr(639,0,19,158,158,"now_serving = ((now_serving+1)%(2+1))", 1, 2, 0);
	trans[1][652]	= settr(658,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][636]	= settr(642,0,650,2,0,"else", 0, 2, 0);
	T = trans[ 1][650] = settr(656,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(656,0,648,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][648]	= settr(654,32,649,159,159,"D_STEP62", 1, 2, 0);
	trans[1][649]	= settr(655,0,19,160,160,"now_serving = ((now_serving+1)%(2+1))", 1, 2, 0);
	trans[1][653]	= settr(659,0,655,2,0,"else", 0, 2, 0);
	T = trans[ 1][655] = settr(661,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(661,0,654,0,0,"sub-sequence", 0, 2, 0);
	trans[1][654]	= settr(660,0,19,161,161,"list_lock[f] = 0", 1, 2, 0);
	trans[1][662]	= settr(668,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][658]	= settr(664,0,660,2,0,"else", 0, 2, 0);
	T = trans[ 1][660] = settr(666,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(666,0,659,0,0,"sub-sequence", 0, 2, 0);
	trans[1][659]	= settr(665,0,19,162,162,"list_lock[f] = 0", 1, 2, 0);
	T = trans[ 1][668] = settr(674,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(674,2,664,0,0,"ATOMIC", 1, 2, 0);
	trans[1][664]	= settr(670,2,667,163,163,"user[me] = 0", 1, 2, 0);
	T = trans[ 1][667] = settr(673,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(673,0,665,0,0,"sub-sequence", 1, 2, 0);
	trans[1][665]	= settr(671,4,674,164,164,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 666 -> 0,674 */
	reached1[666] = 1;
	trans[1][666]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][674] = settr(680,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(680,0,672,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][672] = settr(678,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(678,0,669,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(678,0,670,0,0,"IF", 0, 2, 0);
	trans[1][669]	= settr(675,0,681,165,165,"f = 0", 0, 2, 0);
	trans[1][673]	= settr(679,0,681,1,0,".(goto)", 0, 2, 0);
	trans[1][670]	= settr(676,0,681,166,166,"((2>1))", 0, 2, 0); /* m: 671 -> 681,0 */
	reached1[671] = 1;
	trans[1][671]	= settr(0,0,0,0,0,"f = 1",0,0,0);
	T = trans[ 1][681] = settr(687,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(687,0,680,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][680] = settr(686,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(686,2,678,0,0,"ATOMIC", 1, 2, 0);
	T = trans[1][678] = settr(684,2,0,0,0,"IF", 1, 2, 0);
	T = T->nxt	= settr(684,2,675,0,0,"IF", 1, 2, 0);
	    T->nxt	= settr(684,2,677,0,0,"IF", 1, 2, 0);
	trans[1][675]	= settr(681,0,19,167,167,"((owner[f]==0))", 1, 2, 0); /* m: 676 -> 19,0 */
	reached1[676] = 1;
	trans[1][676]	= settr(0,0,0,0,0,"owner[f] = (me+1)",0,0,0);
	trans[1][679]	= settr(685,0,19,168,168,".(goto)", 1, 2, 0);
	trans[1][677]	= settr(683,2,679,2,0,"else", 1, 2, 0);
	T = trans[ 1][687] = settr(693,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(693,2,682,0,0,"ATOMIC", 1, 2, 0);
	trans[1][682]	= settr(688,2,686,169,169,"(1)", 1, 2, 0); /* m: 683 -> 686,0 */
	reached1[683] = 1;
	trans[1][683]	= settr(0,0,0,0,0,"user[me] = 0",0,0,0);
	T = trans[ 1][686] = settr(692,0,0,0,0,"sub-sequence", 1, 2, 0);
	T->nxt	= settr(692,0,684,0,0,"sub-sequence", 1, 2, 0);
	trans[1][684]	= settr(690,4,693,170,170,"assert(!((tlb[((me*2)+loaded[me])]&4)))", 1, 2, 0); /* m: 685 -> 0,693 */
	reached1[685] = 1;
	trans[1][685]	= settr(0,0,0,0,0,"assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))",0,0,0);
	T = trans[ 1][693] = settr(699,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(699,0,691,0,0,"sub-sequence", 0, 2, 0);
	T = trans[1][691] = settr(697,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(697,0,688,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(697,0,689,0,0,"IF", 0, 2, 0);
	trans[1][688]	= settr(694,0,907,171,171,"f = 0", 0, 2, 0);
	trans[1][692]	= settr(698,0,907,1,0,".(goto)", 0, 2, 0);
	trans[1][689]	= settr(695,0,907,172,172,"((2>1))", 0, 2, 0); /* m: 690 -> 907,0 */
	reached1[690] = 1;
	trans[1][690]	= settr(0,0,0,0,0,"f = 1",0,0,0);
	T = trans[ 1][907] = settr(913,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(913,0,747,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][747] = settr(753,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(753,0,697,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][697] = settr(703,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(703,2,694,0,0,"ATOMIC", 1, 2, 0);
	trans[1][694]	= settr(700,0,732,173,173,"mine = next_ticket", 1, 2, 0); /* m: 695 -> 0,732 */
	reached1[695] = 1;
	trans[1][695]	= settr(0,0,0,0,0,"next_ticket = ((next_ticket+1)%(2+1))",0,0,0);
	trans[1][696]	= settr(0,0,0,0,0,"waits[me] = 1",0,0,0);
	trans[1][733]	= settr(739,0,732,1,0,".(goto)", 0, 2, 0);
	T = trans[1][732] = settr(738,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(738,0,702,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(738,0,703,0,0,"DO", 0, 2, 0);
	T = trans[ 1][702] = settr(708,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(708,2,698,0,0,"ATOMIC", 1, 2, 0);
	trans[1][698]	= settr(704,4,735,174,174,"((now_serving==mine))", 1, 2, 0); /* m: 699 -> 735,0 */
	reached1[699] = 1;
	trans[1][699]	= settr(0,0,0,0,0,"waits[me] = 0",0,0,0);
	trans[1][700]	= settr(0,0,0,0,0,"mine = 0",0,0,0);
	trans[1][701]	= settr(707,0,735,1,0,"goto :b32", 1, 2, 0);
	trans[1][703]	= settr(709,0,731,175,0,"(((now_serving!=mine)&&stop))", 1, 2, 0);
	T = trans[ 1][731] = settr(737,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(737,0,728,0,0,"sub-sequence", 0, 2, 0);
	trans[1][729]	= settr(735,0,728,1,0,".(goto)", 0, 2, 0);
	T = trans[1][728] = settr(734,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(734,0,706,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(734,0,726,0,0,"DO", 0, 2, 0);
	T = trans[ 1][706] = settr(712,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(712,2,704,0,0,"ATOMIC", 1, 2, 0);
	trans[1][704]	= settr(710,4,707,176,176,"(stop)", 1, 2, 0); /* m: 705 -> 707,0 */
	reached1[705] = 1;
	trans[1][705]	= settr(0,0,0,0,0,"parked[me] = 1",0,0,0);
	trans[1][707]	= settr(713,0,724,177,0,"((!(stop)||!(parked[me])))", 1, 2, 0);
	T = trans[1][724] = settr(730,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(730,0,710,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(730,0,723,0,0,"IF", 0, 2, 0);
	T = trans[ 1][710] = settr(716,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(716,2,708,0,0,"ATOMIC", 1, 2, 0);
	trans[1][708]	= settr(714,4,722,178,178,"(told[me])", 1, 2, 0); /* m: 709 -> 722,0 */
	reached1[709] = 1;
	trans[1][709]	= settr(0,0,0,0,0,"told[me] = 0",0,0,0);
	T = trans[ 1][722] = settr(728,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(728,0,721,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][721]	= settr(727,32,728,179,179,"D_STEP18", 1, 2, 0);
	trans[1][725]	= settr(731,0,728,1,0,".(goto)", 0, 2, 0);
	trans[1][723]	= settr(729,0,728,2,0,"else", 0, 2, 0);
	trans[1][726]	= settr(732,0,732,2,0,"else", 0, 2, 0);
	trans[1][727]	= settr(733,0,732,1,0,"goto :b33", 0, 2, 0);
	trans[1][730]	= settr(736,0,732,1,0,"break", 0, 2, 0);
	trans[1][734]	= settr(740,0,735,1,0,"break", 0, 2, 0);
	trans[1][735]	= settr(741,0,736,1,0,"(1)", 0, 2, 0);
	trans[1][736]	= settr(742,0,737,180,180,"stop = 1", 1, 2, 0);
	trans[1][737]	= settr(743,0,744,181,181,"n = 0", 0, 2, 0);
	trans[1][745]	= settr(751,0,744,1,0,".(goto)", 0, 2, 0);
	T = trans[1][744] = settr(750,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(750,0,738,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(750,0,741,0,0,"DO", 0, 2, 0);
	trans[1][738]	= settr(744,0,739,182,0,"((n<2))", 0, 2, 0);
	trans[1][739]	= settr(745,0,740,183,0,"(((n==me)||parked[n]))", 1, 2, 0);
	trans[1][740]	= settr(746,0,744,184,184,"n = (n+1)", 0, 2, 0);
	trans[1][741]	= settr(747,0,742,2,0,"else", 0, 2, 0);
	trans[1][742]	= settr(748,0,905,185,185,"n = 0", 0, 2, 0);
	trans[1][743]	= settr(749,0,905,1,0,"goto :b35", 0, 2, 0);
	trans[1][746]	= settr(752,0,905,1,0,"break", 0, 2, 0);
	T = trans[1][905] = settr(911,0,0,0,0,"IF", 0, 2, 0);
	T = T->nxt	= settr(911,0,748,0,0,"IF", 0, 2, 0);
	    T->nxt	= settr(911,0,890,0,0,"IF", 0, 2, 0);
	trans[1][748]	= settr(754,0,764,186,0,"((owner[f]!=0))", 1, 2, 0);
	T = trans[ 1][764] = settr(770,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(770,0,763,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][763]	= settr(769,32,889,187,187,"D_STEP12", 1, 2, 0);
	T = trans[ 1][889] = settr(895,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(895,0,785,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][785] = settr(791,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(791,0,765,0,0,"sub-sequence", 0, 2, 0);
	trans[1][765]	= settr(771,0,781,188,188,"c = 0", 0, 2, 0);
	trans[1][782]	= settr(788,0,781,1,0,".(goto)", 0, 2, 0);
	T = trans[1][781] = settr(787,0,0,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(787,0,766,0,0,"DO", 0, 2, 0);
	T = T->nxt	= settr(787,0,777,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(787,0,779,0,0,"DO", 0, 2, 0);
	trans[1][766]	= settr(772,0,767,189,0,"(((c<2)&&(pte[c]==(f+1))))", 1, 2, 0);
	trans[1][767]	= settr(773,0,768,190,190,"tag[c] = 0", 1, 2, 0);
	trans[1][768]	= settr(774,0,772,191,191,"slot[c] = 0", 1, 2, 0);
	T = trans[ 1][772] = settr(778,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(778,0,771,0,0,"sub-sequence", 0, 2, 0);
	T = trans[ 1][771] = settr(777,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(777,2,769,0,0,"ATOMIC", 1, 2, 0);
	trans[1][769]	= settr(775,4,773,192,192,"(!(list_lock[f]))", 1, 2, 0); /* m: 770 -> 773,0 */
	reached1[770] = 1;
	trans[1][770]	= settr(0,0,0,0,0,"list_lock[f] = 1",0,0,0);
	trans[1][773]	= settr(779,0,775,193,193,"pte[c] = 0", 1, 2, 0);
	T = trans[ 1][775] = settr(781,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(781,0,774,0,0,"sub-sequence", 0, 2, 0);
	trans[1][774]	= settr(780,0,776,194,194,"list_lock[f] = 0", 1, 2, 0);
	trans[1][776]	= settr(782,0,781,195,195,"c = (c+1)", 0, 2, 0);
	trans[1][777]	= settr(783,0,778,196,0,"(((c<2)&&(pte[c]!=(f+1))))", 1, 2, 0);
	trans[1][778]	= settr(784,0,781,197,197,"c = (c+1)", 0, 2, 0);
	trans[1][779]	= settr(785,0,784,2,0,"else", 0, 2, 0);
	trans[1][780]	= settr(786,0,784,1,0,"goto :b37", 0, 2, 0);
	trans[1][783]	= settr(789,0,784,1,0,"break", 0, 2, 0);
	trans[1][784]	= settr(790,0,797,198,198,"c = loaded[me]", 1, 2, 0);
	T = trans[ 1][797] = settr(803,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(803,0,796,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][796]	= settr(802,32,809,199,199,"D_STEP18", 1, 2, 0);
	T = trans[ 1][809] = settr(815,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(815,0,808,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][808]	= settr(814,32,874,200,200,"D_STEP59", 1, 2, 0);
	T = trans[ 1][874] = settr(880,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(880,0,873,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][873]	= settr(879,32,888,201,201,"D_STEP15", 1, 2, 0);
	T = trans[ 1][888] = settr(894,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(894,0,886,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][886]	= settr(892,32,887,202,202,"D_STEP62", 1, 2, 0);
	trans[1][887]	= settr(893,0,19,203,203,"now_serving = ((now_serving+1)%(2+1))", 1, 2, 0);
	trans[1][906]	= settr(912,0,19,1,0,".(goto)", 0, 2, 0);
	trans[1][890]	= settr(896,0,904,2,0,"else", 0, 2, 0);
	T = trans[ 1][904] = settr(910,0,0,0,0,"sub-sequence", 0, 2, 0);
	T->nxt	= settr(910,0,902,0,0,"sub-sequence", 0, 2, 0);
/*->*/	trans[1][902]	= settr(908,32,903,204,204,"D_STEP62", 1, 2, 0);
	trans[1][903]	= settr(909,0,19,205,205,"now_serving = ((now_serving+1)%(2+1))", 1, 2, 0);
	trans[1][910]	= settr(916,0,19,1,0,"goto ring3", 0, 2, 0);
	trans[1][911]	= settr(0,0,0,0,0,"-end-",0,0,0);

	/* proctype 0: walker */

	trans[0] = (Trans **) emalloc(8*sizeof(Trans *));

	trans[0][5]	= settr(4,0,4,1,0,".(goto)", 0, 2, 0);
	T = trans[0][4] = settr(3,0,0,0,0,"DO", 0, 2, 0);
	    T->nxt	= settr(3,0,3,0,0,"DO", 0, 2, 0);
	T = trans[ 0][3] = settr(2,2,0,0,0,"ATOMIC", 1, 2, 0);
	T->nxt	= settr(2,2,1,0,0,"ATOMIC", 1, 2, 0);
	trans[0][1]	= settr(0,0,4,206,206,"(((tlb[((me*2)+loaded[me])]==0)&&(slot[loaded[me]]!=0)))", 1, 2, 0); /* m: 2 -> 4,0 */
	reached0[2] = 1;
	trans[0][2]	= settr(0,0,0,0,0,"tlb[((me*2)+loaded[me])] = slot[loaded[me]]",0,0,0);
	trans[0][6]	= settr(5,0,7,1,0,"break", 0, 2, 0);
	trans[0][7]	= settr(6,0,0,207,207,"-end-", 0, 3500, 0);
	/* np_ demon: */
	trans[_NP_] = (Trans **) emalloc(3*sizeof(Trans *));
	T = trans[_NP_][0] = settr(9997,0,1,_T5,0,"(np_)", 1,2,0);
	    T->nxt	  = settr(9998,0,0,_T2,0,"(1)",   0,2,0);
	T = trans[_NP_][1] = settr(9999,0,1,_T5,0,"(np_)", 1,2,0);
}

Trans *
settr(	int t_id, int a, int b, int c, int d,
	char *t, int g, int tpe0, int tpe1)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	tmp->atom  = a&(6|32);	/* only (2|8|32) have meaning */
	if (!g) tmp->atom |= 8;	/* no global references */
	tmp->st    = b;
	tmp->tpe[0] = tpe0;
	tmp->tpe[1] = tpe1;
	tmp->tp    = t;
	tmp->t_id  = t_id;
	tmp->forw  = c;
	tmp->back  = d;
	return tmp;
}

Trans *
cpytr(Trans *a)
{	Trans *tmp = (Trans *) emalloc(sizeof(Trans));

	int i;
	tmp->atom  = a->atom;
	tmp->st    = a->st;
#ifdef HAS_UNLESS
	tmp->e_trans = a->e_trans;
	for (i = 0; i < HAS_UNLESS; i++)
		tmp->escp[i] = a->escp[i];
#endif
	tmp->tpe[0] = a->tpe[0];
	tmp->tpe[1] = a->tpe[1];
	for (i = 0; i < 6; i++)
	{	tmp->qu[i] = a->qu[i];
		tmp->ty[i] = a->ty[i];
	}
	tmp->tp    = (char *) emalloc(strlen(a->tp)+1);
	strcpy(tmp->tp, a->tp);
	tmp->t_id  = a->t_id;
	tmp->forw  = a->forw;
	tmp->back  = a->back;
	return tmp;
}

#ifndef NOREDUCE
int
srinc_set(int n)
{	if (n <= 2) return LOCAL;
	if (n <= 2+  DELTA) return Q_FULL_F; /* 's' or nfull  */
	if (n <= 2+2*DELTA) return Q_EMPT_F; /* 'r' or nempty */
	if (n <= 2+3*DELTA) return Q_EMPT_T; /* empty */
	if (n <= 2+4*DELTA) return Q_FULL_T; /* full  */
	if (n ==   5*DELTA) return GLOBAL;
	if (n ==   6*DELTA) return TIMEOUT_F;
	if (n ==   7*DELTA) return ALPHA_F;
	Uerror("cannot happen srinc_class");
	return BAD;
}
int
srunc(int n, int m)
{	switch(m) {
	case Q_FULL_F: return n-2;
	case Q_EMPT_F: return n-2-DELTA;
	case Q_EMPT_T: return n-2-2*DELTA;
	case Q_FULL_T: return n-2-3*DELTA;
	case ALPHA_F:
	case TIMEOUT_F: return 257; /* non-zero, and > MAXQ */
	}
	Uerror("cannot happen srunc");
	return 0;
}
#endif
int cnt;
#ifdef HAS_UNLESS
int
isthere(Trans *a, int b)
{	Trans *t;
	for (t = a; t; t = t->nxt)
		if (t->t_id == b)
			return 1;
	return 0;
}
#endif
#ifndef NOREDUCE
int
mark_safety(Trans *t) /* for conditional safety */
{	int g = 0, i, j, k;

	if (!t) return 0;
	if (t->qu[0])
		return (t->qu[1])?2:1;	/* marked */

	for (i = 0; i < 2; i++)
	{	j = srinc_set(t->tpe[i]);
		if (j >= GLOBAL && j != ALPHA_F)
			return -1;
		if (j != LOCAL)
		{	k = srunc(t->tpe[i], j);
			if (g == 0
			||  t->qu[0] != k
			||  t->ty[0] != j)
			{	t->qu[g] = k;
				t->ty[g] = j;
				g++;
	}	}	}
	return g;
}
#endif
void
retrans(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
	/* process n, with m states, is=initial state */
{	Trans *T0, *T1, *T2, *T3;
	Trans *T4, *T5; /* t_reverse or has_unless */
	int i;
#if defined(HAS_UNLESS) || !defined(NOREDUCE)
	int k;
#endif
#ifndef NOREDUCE
	int g, h, j, aa;
#endif
#ifdef HAS_UNLESS
	int p;
#endif
	if (state_tables >= 4)
	{	printf("STEP 1 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	do {
		for (i = 1, cnt = 0; i < m; i++)
		{	T2 = trans[n][i];
			T1 = T2?T2->nxt:(Trans *)0;
/* prescan: */		for (T0 = T1; T0; T0 = T0->nxt)
/* choice in choice */	{	if (T0->st && trans[n][T0->st]
				&&  trans[n][T0->st]->nxt)
					break;
			}
#if 0
		if (T0)
		printf("\tstate %d / %d: choice in choice\n",
		i, T0->st);
#endif
			if (T0)
			for (T0 = T1; T0; T0 = T0->nxt)
			{	T3 = trans[n][T0->st];
				if (!T3->nxt)
				{	T2->nxt = cpytr(T0);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
					continue;
				}
				do {	T3 = T3->nxt;
					T2->nxt = cpytr(T3);
					T2 = T2->nxt;
					imed(T2, T0->st, n, i);
				} while (T3->nxt);
				cnt++;
			}
		}
	} while (cnt);
	if (state_tables >= 3)
	{	printf("STEP 2 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
	for (i = 1; i < m; i++)
	{	if (trans[n][i] && trans[n][i]->nxt) /* optimize */
		{	T1 = trans[n][i]->nxt;
#if 0
			printf("\t\tpull %d (%d) to %d\n",
			T1->st, T1->forw, i);
#endif
			srcln[i] = srcln[T1->st];	/* Oyvind Teig, 5.2.0 */

			if (!trans[n][T1->st]) continue;
			T0 = cpytr(trans[n][T1->st]);
			trans[n][i] = T0;
			reach[T1->st] = 1;
			imed(T0, T1->st, n, i);
			for (T1 = T1->nxt; T1; T1 = T1->nxt)
			{
#if 0
			printf("\t\tpull %d (%d) to %d\n",
				T1->st, T1->forw, i);
#endif
		/*		srcln[i] = srcln[T1->st];  gh: not useful */
				if (!trans[n][T1->st]) continue;
				T0->nxt = cpytr(trans[n][T1->st]);
				T0 = T0->nxt;
				reach[T1->st] = 1;
				imed(T0, T1->st, n, i);
	}	}	}
	if (state_tables >= 2)
	{	printf("STEP 3 %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
		return;
	}
#ifdef HAS_UNLESS
	for (i = 1; i < m; i++)
	{	if (!trans[n][i]) continue;
		/* check for each state i if an
		 * escape to some state p is defined
		 * if so, copy and mark p's transitions
		 * and prepend them to the transition-
		 * list of state i
		 */
	 if (!like_java) /* the default */
	 {	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->e_trans = p;
				T2->nxt = trans[n][i];
				trans[n][i] = T2;
		}	}
	 } else /* outermost unless checked first */
	 {	T4 = T3 = (Trans *) 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		for (k = HAS_UNLESS-1; k >= 0; k--)
		{	if (p = T0->escp[k])
			for (T1 = trans[n][p]; T1; T1 = T1->nxt)
			{	if (isthere(trans[n][i], T1->t_id))
					continue;
				T2 = cpytr(T1);
				T2->nxt = (Trans *) 0;
				T2->e_trans = p;
				if (T3)	T3->nxt = T2;
				else	T4 = T2;
				T3 = T2;
		}	}
		if (T4)
		{	T3->nxt = trans[n][i];
			trans[n][i] = T4;
		}
	 }
	}
#endif
#ifndef NOREDUCE
	for (i = 1; i < m; i++)
	{	if (a_cycles)
		{ /* moves through these states are visible */
	#if PROG_LAB>0 && defined(HAS_NP)
			if (progstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (progstate[n][T1->st])
					goto degrade;
	#endif
			if (accpstate[n][i] || visstate[n][i])
				goto degrade;
			for (T1 = trans[n][i]; T1; T1 = T1->nxt)
				if (accpstate[n][T1->st])
					goto degrade;
		}
		T1 = trans[n][i];
		if (!T1) continue;
		g = mark_safety(T1);	/* V3.3.1 */
		if (g < 0) goto degrade; /* global */
		/* check if mixing of guards preserves reduction */
		if (T1->nxt)
		{	k = 0;
			for (T0 = T1; T0; T0 = T0->nxt)
			{	if (!(T0->atom&8))
					goto degrade;
				for (aa = 0; aa < 2; aa++)
				{	j = srinc_set(T0->tpe[aa]);
					if (j >= GLOBAL && j != ALPHA_F)
						goto degrade;
					if (T0->tpe[aa]
					&&  T0->tpe[aa]
					!=  T1->tpe[0])
						k = 1;
			}	}
			/* g = 0;	V3.3.1 */
			if (k)	/* non-uniform selection */
			for (T0 = T1; T0; T0 = T0->nxt)
			for (aa = 0; aa < 2; aa++)
			{	j = srinc_set(T0->tpe[aa]);
				if (j != LOCAL)
				{	k = srunc(T0->tpe[aa], j);
					for (h = 0; h < 6; h++)
						if (T1->qu[h] == k
						&&  T1->ty[h] == j)
							break;
					if (h >= 6)
					{	T1->qu[g%6] = k;
						T1->ty[g%6] = j;
						g++;
			}	}	}
			if (g > 6)
			{	T1->qu[0] = 0;	/* turn it off */
				printf("pan: warning, line %d, ",
					srcln[i]);
			 	printf("too many stmnt types (%d)",
					g);
			  	printf(" in selection\n");
			  goto degrade;
			}
		}
		/* mark all options global if >=1 is global */
		for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			if (!(T1->atom&8)) break;
		if (T1)
degrade:	for (T1 = trans[n][i]; T1; T1 = T1->nxt)
			T1->atom &= ~8;	/* mark as unsafe */
		/* can only mix 'r's or 's's if on same chan */
		/* and not mixed with other local operations */
		T1 = trans[n][i];
		if (!T1 || T1->qu[0]) continue;
		j = T1->tpe[0];
		if (T1->nxt && T1->atom&8)
		{ if (j == 5*DELTA)
		  {	printf("warning: line %d ", srcln[i]);
			printf("mixed condition ");
			printf("(defeats reduction)\n");
			goto degrade;
		  }
		  for (T0 = T1; T0; T0 = T0->nxt)
		  for (aa = 0; aa < 2; aa++)
		  if  (T0->tpe[aa] && T0->tpe[aa] != j)
		  {	printf("warning: line %d ", srcln[i]);
			printf("[%d-%d] mixed %stion ",
				T0->tpe[aa], j, 
				(j==5*DELTA)?"condi":"selec");
			printf("(defeats reduction)\n");
			printf("	'%s' <-> '%s'\n",
				T1->tp, T0->tp);
			goto degrade;
		} }
	}
#endif
	for (i = 1; i < m; i++)
	{	T2 = trans[n][i];
		if (!T2
		||  T2->nxt
		||  strncmp(T2->tp, ".(goto)", 7)
		||  !stopstate[n][i])
			continue;
		stopstate[n][T2->st] = 1;
	}
	if (state_tables && !verbose)
	{	if (dodot)
		{	char buf[256], *q = buf, *p = procname[n];
			while (*p != '\0')
			{	if (*p != ':')
				{	*q++ = *p;
				}
				p++;
			}
			*q = '\0';
			printf("digraph ");
			switch (Btypes[n]) {
			case I_PROC:  printf("init {\n"); break;
			case N_CLAIM: printf("claim_%s {\n", buf); break;
			case E_TRACE: printf("notrace {\n"); break;
			case N_TRACE: printf("trace {\n"); break;
			default:      printf("p_%s {\n", buf); break;
			}
			printf("size=\"8,10\";\n");
			printf("  GT [shape=box,style=dotted,label=\"%s\"];\n", buf);
			printf("  GT -> S%d;\n", is);
		} else
		{	switch (Btypes[n]) {
			case I_PROC:  printf("init\n"); break;
			case N_CLAIM: printf("claim %s\n", procname[n]); break;
			case E_TRACE: printf("notrace assertion\n"); break;
			case N_TRACE: printf("trace assertion\n"); break;
			default:      printf("proctype %s\n", procname[n]); break;
		}	}
		for (i = 1; i < m; i++)
		{	reach[i] = 1;
		}
		tagtable(n, m, is, srcln, reach);
		if (dodot) printf("}\n");
	} else
	for (i = 1; i < m; i++)
	{	int nrelse;
		if (Btypes[n] != N_CLAIM)
		{	for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			{	if (T0->st == i
				&& strcmp(T0->tp, "(1)") == 0)
				{	printf("error: proctype '%s' ",
						procname[n]);
		  			printf("line %d, state %d: has un",
						srcln[i], i);
					printf("conditional self-loop\n");
					pan_exit(1);
		}	}	}
		nrelse = 0;
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
		{	if (strcmp(T0->tp, "else") == 0)
				nrelse++;
		}
		if (nrelse > 1)
		{	printf("error: proctype '%s' state",
				procname[n]);
		  	printf(" %d, inherits %d", i, nrelse);
		  	printf(" 'else' stmnts\n");
			pan_exit(1);
	}	}
#if !defined(LOOPSTATE) && !defined(BFS_PAR)
	if (state_tables)
#endif
	do_dfs(n, m, is, srcln, reach, lpstate);

	if (!t_reverse)
	{	return;
	}
	/* process n, with m states, is=initial state -- reverse list */
	if (!state_tables && Btypes[n] != N_CLAIM)
	{	for (i = 1; i < m; i++)
		{	Trans *Tx = (Trans *) 0; /* list of escapes */
			Trans *Ty = (Trans *) 0; /* its tail element */
			T1 = (Trans *) 0; /* reversed list */
			T2 = (Trans *) 0; /* its tail */
			T3 = (Trans *) 0; /* remembers possible 'else' */

			/* find unless-escapes, they should go first */
			T4 = T5 = T0 = trans[n][i];
	#ifdef HAS_UNLESS
			while (T4 && T4->e_trans) /* escapes are first in orig list */
			{	T5 = T4;	  /* remember predecessor */
				T4 = T4->nxt;
			}
	#endif
			/* T4 points to first non-escape, T5 to its parent, T0 to original list */
			if (T4 != T0)		 /* there was at least one escape */
			{	T3 = T5->nxt;		 /* start of non-escapes */
				T5->nxt = (Trans *) 0;	 /* separate */
				Tx = T0;		 /* start of the escapes */
				Ty = T5;		 /* its tail */
				T0 = T3;		 /* the rest, to be reversed */
			}
			/* T0 points to first non-escape, Tx to the list of escapes, Ty to its tail */

			/* first tail-add non-escape transitions, reversed */
			T3 = (Trans *) 0;
			for (T5 = T0; T5; T5 = T4)
			{	T4 = T5->nxt;
	#ifdef HAS_UNLESS
				if (T5->e_trans)
				{	printf("error: cannot happen!\n");
					continue;
				}
	#endif
				if (strcmp(T5->tp, "else") == 0)
				{	T3 = T5;
					T5->nxt = (Trans *) 0;
				} else
				{	T5->nxt = T1;
					if (!T1) { T2 = T5; }
					T1 = T5;
			}	}
			/* T3 points to a possible else, which is removed from the list */
			/* T1 points to the reversed list so far (without escapes) */
			/* T2 points to the tail element -- where the else should go */
			if (T2 && T3)
			{	T2->nxt = T3;	/* add else */
			} else
			{	if (T3) /* there was an else, but there's no tail */
				{	if (!T1)	/* and no reversed list */
					{	T1 = T3; /* odd, but possible */
					} else		/* even stranger */
					{	T1->nxt = T3;
			}	}	}

			/* add in the escapes, to that they appear at the front */
			if (Tx && Ty) { Ty->nxt = T1; T1 = Tx; }

			trans[n][i] = T1;
			/* reversed, with escapes first and else last */
	}	}
	if (state_tables && verbose)
	{	printf("FINAL proctype %s\n", 
			procname[n]);
		for (i = 1; i < m; i++)
		for (T0 = trans[n][i]; T0; T0 = T0->nxt)
			crack(n, i, T0, srcln);
	}
}
void
imed(Trans *T, int v, int n, int j)	/* set intermediate state */
{	progstate[n][T->st] |= progstate[n][v];
	accpstate[n][T->st] |= accpstate[n][v];
	stopstate[n][T->st] |= stopstate[n][v];
	mapstate[n][j] = T->st;
}
void
tagtable(int n, int m, int is, short srcln[], uchar reach[])
{	Trans *z;

	if (is >= m || !trans[n][is]
	||  is <= 0 || reach[is] == 0)
		return;
	reach[is] = 0;
	if (state_tables)
	for (z = trans[n][is]; z; z = z->nxt)
	{	if (dodot)
			dot_crack(n, is, z);
		else
			crack(n, is, z, srcln);
	}

	for (z = trans[n][is]; z; z = z->nxt)
	{
#ifdef HAS_UNLESS
		int i, j;
#endif
		tagtable(n, m, z->st, srcln, reach);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			tagtable(n, m, j, srcln, reach);
		}
#endif
	}
}

extern Trans *t_id_lkup[];

void
dfs_table(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	Trans *z;

	if (is >= m || is <= 0 || !trans[n][is])
		return;
	if ((reach[is] & (4|8|16)) != 0)
	{	if ((reach[is] & (8|16)) == 16)	/* on stack, not yet recorded */
		{	lpstate[is] = 1;
			reach[is] |= 8; /* recorded */
			if (state_tables && verbose)
			{	printf("state %d line %d is a loopstate\n", is, srcln[is]);
		}	}
		return;
	}
	reach[is] |= (4|16);	/* visited | onstack */
	for (z = trans[n][is]; z; z = z->nxt)
	{	t_id_lkup[z->t_id] = z;
#ifdef HAS_UNLESS
		int i, j;
#endif
		dfs_table(n, m, z->st, srcln, reach, lpstate);
#ifdef HAS_UNLESS
		for (i = 0; i < HAS_UNLESS; i++)
		{	j = trans[n][is]->escp[i];
			if (!j) break;
			dfs_table(n, m, j, srcln, reach, lpstate);
		}
#endif
	}
	reach[is] &= ~16; /* no longer on stack */
}
void
do_dfs(int n, int m, int is, short srcln[], uchar reach[], uchar lpstate[])
{	int i;
	dfs_table(n, m, is, srcln, reach, lpstate);
	for (i = 0; i < m; i++)
		reach[i] &= ~(4|8|16);
}
void
crack(int n, int j, Trans *z, short srcln[])
{	int i;

	if (!z) return;
	printf("	state %3d -(tr %3d)-> state %3d  ",
		j, z->forw, z->st);
	printf("[id %3d tp %3d", z->t_id, z->tpe[0]);
	if (z->tpe[1]) printf(",%d", z->tpe[1]);
#ifdef HAS_UNLESS
	if (z->e_trans)
		printf(" org %3d", z->e_trans);
	else if (state_tables >= 2)
	for (i = 0; i < HAS_UNLESS; i++)
	{	if (!z->escp[i]) break;
		printf(" esc %d", z->escp[i]);
	}
#endif
	printf("]");
	printf(" [%s%s%s%s%s] %s:%d => ",
		z->atom&6?"A":z->atom&32?"D":"-",
		accpstate[n][j]?"a" :"-",
		stopstate[n][j]?"e" : "-",
		progstate[n][j]?"p" : "-",
		z->atom & 8 ?"L":"G",
		PanSource, srcln[j]);
	for (i = 0; z->tp[i]; i++)
		if (z->tp[i] == '\n')
			printf("\\n");
		else
			putchar(z->tp[i]);
	if (verbose && z->qu[0])
	{	printf("\t[");
		for (i = 0; i < 6; i++)
			if (z->qu[i])
				printf("(%d,%d)",
				z->qu[i], z->ty[i]);
		printf("]");
	}
	printf("\n");
	fflush(stdout);
}
/* spin -a m.pml; cc -o pan pan.c; ./pan -D | dot -Tps > foo.ps; ps2pdf foo.ps */
void
dot_crack(int n, int j, Trans *z)
{	int i;

	if (!z) return;
	printf("	S%d -> S%d  [color=black", j, z->st);

	if (z->atom&6) printf(",style=dashed");
	else if (z->atom&32) printf(",style=dotted");
	else if (z->atom&8) printf(",style=solid");
	else printf(",style=bold");

	printf(",label=\"");
	for (i = 0; z->tp[i]; i++)
	{	if (z->tp[i] == '\\'
		&&  z->tp[i+1] == 'n')
		{	i++; printf(" ");
		} else
		{	putchar(z->tp[i]);
	}	}
	printf("\"];\n");
	if (accpstate[n][j]) printf("  S%d [color=red,style=bold];\n", j);
	else if (progstate[n][j]) printf("  S%d [color=green,style=bold];\n", j);
	if (stopstate[n][j]) printf("  S%d [color=blue,style=bold,shape=box];\n", j);
}

#ifdef VAR_RANGES
#define BYTESIZE	32	/* 2^8 : 2^3 = 256:8 = 32 */

typedef struct Vr_Ptr {
	char	*nm;
	uchar	vals[BYTESIZE];
	struct Vr_Ptr *nxt;
} Vr_Ptr;
Vr_Ptr *ranges = (Vr_Ptr *) 0;

void
logval(char *s, int v)
{	Vr_Ptr *tmp;

	if (v<0 || v > 255) return;
	for (tmp = ranges; tmp; tmp = tmp->nxt)
		if (!strcmp(tmp->nm, s))
			goto found;
	tmp = (Vr_Ptr *) emalloc(sizeof(Vr_Ptr));
	tmp->nxt = ranges;
	ranges = tmp;
	tmp->nm = s;
found:
	tmp->vals[(v)/8] |= 1<<((v)%8);
}

void
dumpval(uchar X[], int range)
{	int w, x, i, j = -1;

	for (w = i = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
from:		if ((X[w] & (1<<x)))
		{	printf("%d", i);
			j = i;
			goto upto;
	}	}
	return;
	for (w = 0; w < range; w++)
	for (x = 0; x < 8; x++, i++)
	{
upto:		if (!(X[w] & (1<<x)))
		{	if (i-1 == j)
				printf(", ");
			else
				printf("-%d, ", i-1);
			goto from;
	}	}
	if (j >= 0 && j != 255)
		printf("-255");
}

void
dumpranges(void)
{	Vr_Ptr *tmp;
	printf("\nValues assigned within ");
	printf("interval [0..255]:\n");
	for (tmp = ranges; tmp; tmp = tmp->nxt)
	{	printf("\t%s\t: ", tmp->nm);
		dumpval(tmp->vals, BYTESIZE);
		printf("\n");
	}
}
#endif
