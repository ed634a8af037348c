#define rand	pan_rand
#define pthread_equal(a,b)	((a)==(b))
#if defined(HAS_CODE) && defined(VERBOSE)
	#ifdef BFS_PAR
		bfs_printf("Pr: %d Tr: %d\n", II, t->forw);
	#else
		cpu_printf("Pr: %d Tr: %d\n", II, t->forw);
	#endif
#endif
	switch (t->forw) {
	default: Uerror("bad forward move");
	case 0:	/* if without executable clauses */
		continue;
	case 1: /* generic 'goto' or 'skip' */
		IfNotBlocked
		_m = 3; goto P999;
	case 2: /* generic 'else' */
		IfNotBlocked
		if (trpt->o_pm&1) continue;
		_m = 3; goto P999;

		 /* PROC :init: */
	case 3: // STATE 1 - taking.pml:83 - [((i<2))] (7:0:3 - 1)
		IfNotBlocked
		reached[2][1] = 1;
		if (!((((int)((P2 *)_this)->i)<2)))
			continue;
		/* merge: loaded[i] = ( ((i<2)) -> (i) : ((2-1)) )(7, 2, 7) */
		reached[2][2] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)now.loaded[ Index(((int)((P2 *)_this)->i), 2) ]);
		now.loaded[ Index(((P2 *)_this)->i, 2) ] = ( ((((int)((P2 *)_this)->i)<2)) ? (((int)((P2 *)_this)->i)) : ((2-1)) );
#ifdef VAR_RANGES
		logval("loaded[:init::i]", ((int)now.loaded[ Index(((int)((P2 *)_this)->i), 2) ]));
#endif
		;
		/* merge: cpus[loaded[i]] = (cpus[loaded[i]]|(1<<i))(7, 3, 7) */
		reached[2][3] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.cpus[ Index(((int)now.loaded[ Index(((int)((P2 *)_this)->i), 2) ]), 2) ]);
		now.cpus[ Index(now.loaded[ Index(((P2 *)_this)->i, 2) ], 2) ] = (((int)now.cpus[ Index(((int)now.loaded[ Index(((int)((P2 *)_this)->i), 2) ]), 2) ])|(1<<((int)((P2 *)_this)->i)));
#ifdef VAR_RANGES
		logval("cpus[loaded[:init::i]]", ((int)now.cpus[ Index(((int)now.loaded[ Index(((int)((P2 *)_this)->i), 2) ]), 2) ]));
#endif
		;
		/* merge: i = (i+1)(7, 4, 7) */
		reached[2][4] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P2 *)_this)->i);
		((P2 *)_this)->i = (((int)((P2 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P2 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 8, 7) */
		reached[2][8] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 4: // STATE 10 - taking.pml:87 - [i = 0] (0:17:1 - 3)
		IfNotBlocked
		reached[2][10] = 1;
		(trpt+1)->bup.oval = ((int)((P2 *)_this)->i);
		((P2 *)_this)->i = 0;
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P2 *)_this)->i));
#endif
		;
		/* merge: .(goto)(0, 18, 17) */
		reached[2][18] = 1;
		;
		_m = 3; goto P999; /* 1 */
	case 5: // STATE 11 - taking.pml:87 - [((i<2))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][11] = 1;
		if (!((((int)((P2 *)_this)->i)<2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 6: // STATE 12 - taking.pml:87 - [(run cpu(i))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][12] = 1;
		if (!(addproc(II, 1, 1, ((int)((P2 *)_this)->i))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 7: // STATE 13 - taking.pml:87 - [(run walker(i))] (0:0:0 - 1)
		IfNotBlocked
		reached[2][13] = 1;
		if (!(addproc(II, 1, 0, ((int)((P2 *)_this)->i))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 8: // STATE 14 - taking.pml:87 - [i = (i+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[2][14] = 1;
		(trpt+1)->bup.oval = ((int)((P2 *)_this)->i);
		((P2 *)_this)->i = (((int)((P2 *)_this)->i)+1);
#ifdef VAR_RANGES
		logval(":init::i", ((int)((P2 *)_this)->i));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 9: // STATE 21 - taking.pml:89 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[2][21] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */

		 /* PROC cpu */
	case 10: // STATE 1 - taking.pml:60 - [c = loaded[me]] (0:0:2 - 1)
		IfNotBlocked
		reached[1][1] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = ((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: c */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->c = 0;
		_m = 3; goto P999; /* 0 */
	case 11: // STATE 2 - taking.pml:62 - [user[me] = 1] (0:9:2 - 1)
		IfNotBlocked
		reached[1][2] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: n = 0(9, 3, 9) */
		reached[1][3] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		/* merge: .(goto)(0, 10, 9) */
		reached[1][10] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 12: // STATE 4 - taking.pml:62 - [((n<2))] (9:0:2 - 1)
		IfNotBlocked
		reached[1][4] = 1;
		if (!((((int)((P1 *)_this)->n)<2)))
			continue;
		/* merge: owes[n] = (owes[n]&~((1<<me)))(9, 5, 9) */
		reached[1][5] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.owes[ Index(((int)((P1 *)_this)->n), 2) ]);
		now.owes[ Index(((P1 *)_this)->n, 2) ] = (((int)now.owes[ Index(((int)((P1 *)_this)->n), 2) ])& ~((1<<((int)((P1 *)_this)->me))));
#ifdef VAR_RANGES
		logval("owes[cpu:n]", ((int)now.owes[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		/* merge: n = (n+1)(9, 6, 9) */
		reached[1][6] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		/* merge: .(goto)(0, 10, 9) */
		reached[1][10] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 13: // STATE 12 - taking.pml:62 - [f = 0] (0:908:7 - 3)
		IfNotBlocked
		reached[1][12] = 1;
		(trpt+1)->bup.ovals = grab_ints(7);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: n = 0(908, 13, 908) */
		reached[1][13] = 1;
		(trpt+1)->bup.ovals[1] = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		/* merge: mine = 0(908, 14, 908) */
		reached[1][14] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: all_here = 0(908, 15, 908) */
		reached[1][15] = 1;
		(trpt+1)->bup.ovals[3] = ((int)((P1 *)_this)->all_here);
		((P1 *)_this)->all_here = 0;
#ifdef VAR_RANGES
		logval("cpu:all_here", ((int)((P1 *)_this)->all_here));
#endif
		;
		/* merge: word[me] = 0(908, 16, 908) */
		reached[1][16] = 1;
		(trpt+1)->bup.ovals[4] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.word[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("word[cpu:me]", ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: presented[me] = 0(908, 17, 908) */
		reached[1][17] = 1;
		(trpt+1)->bup.ovals[5] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: c = loaded[me](908, 18, 908) */
		reached[1][18] = 1;
		(trpt+1)->bup.ovals[6] = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = ((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 6 */
	case 14: // STATE 20 - taking.pml:64 - [(stop)] (24:0:1 - 1)
		IfNotBlocked
		reached[1][20] = 1;
		if (!(((int)now.stop)))
			continue;
		/* merge: user[me] = 0(0, 21, 24) */
		reached[1][21] = 1;
		(trpt+1)->bup.oval = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 15: // STATE 22 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:53:0 - 1)
		IfNotBlocked
		reached[1][22] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(53, 23, 53) */
		reached[1][23] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 16: // STATE 26 - stopping.pml:23 - [(stop)] (29:0:1 - 1)
		IfNotBlocked
		reached[1][26] = 1;
		if (!(((int)now.stop)))
			continue;
		/* merge: parked[me] = 1(0, 27, 29) */
		reached[1][27] = 1;
		(trpt+1)->bup.oval = ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.parked[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("parked[cpu:me]", ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 17: // STATE 29 - stopping.pml:24 - [((!(stop)||!(parked[me])))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][29] = 1;
		if (!(( !(((int)now.stop))|| !(((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 18: // STATE 30 - stopping.pml:28 - [(told[me])] (44:0:1 - 1)
		IfNotBlocked
		reached[1][30] = 1;
		if (!(((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		/* merge: told[me] = 0(0, 31, 44) */
		reached[1][31] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.told[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("told[cpu:me]", ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 19: // STATE 43 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][43] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_039_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_046_0: /* 2 */
S_045_0: /* 2 */
S_040_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_045_1;
S_041_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_042_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_046_0; /* ';' */
S_045_1: /* 3 */
S_043_0: /* 2 */
		/* else */;
S_044_0: /* 2 */
		goto S_047_0;	/* 'goto' */
S_045_2: /* 3 */
		Uerror("blocking sel in d_step (nr.0, near line 18)");
S_047_0: /* 2 */
		goto S_048_0;	/* 'break' */
S_048_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_053_0;
S_053_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 20: // STATE 54 - taking.pml:65 - [((tag[c]==2))] (58:0:1 - 1)
		IfNotBlocked
		reached[1][54] = 1;
		if (!((((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ])==2)))
			continue;
		/* merge: user[me] = 0(0, 55, 58) */
		reached[1][55] = 1;
		(trpt+1)->bup.oval = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 21: // STATE 56 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:66:0 - 1)
		IfNotBlocked
		reached[1][56] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(66, 57, 66) */
		reached[1][57] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 22: // STATE 60 - hot_paths.pml:19 - [((tag[c]==2))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][60] = 1;
		if (!((((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ])==2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 23: // STATE 61 - hot_paths.pml:19 - [word[me] = pte[c]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][61] = 1;
		(trpt+1)->bup.oval = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.word[ Index(((P1 *)_this)->me, 2) ] = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
#ifdef VAR_RANGES
		logval("word[cpu:me]", ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 24: // STATE 62 - hot_paths.pml:19 - [slot[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][62] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 25: // STATE 67 - taking.pml:66 - [((tag[c]==2))] (71:0:1 - 1)
		IfNotBlocked
		reached[1][67] = 1;
		if (!((((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ])==2)))
			continue;
		/* merge: user[me] = 0(0, 68, 71) */
		reached[1][68] = 1;
		(trpt+1)->bup.oval = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 26: // STATE 69 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:76:0 - 1)
		IfNotBlocked
		reached[1][69] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(76, 70, 76) */
		reached[1][70] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 27: // STATE 73 - hot_paths.pml:25 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][73] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 28: // STATE 74 - hot_paths.pml:25 - [tag[c] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][74] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 1;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 29: // STATE 75 - hot_paths.pml:25 - [tlb[((me*2)+c)] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][75] = 1;
		(trpt+1)->bup.oval = ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]);
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:c)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 30: // STATE 77 - taking.pml:67 - [((tag[c]==1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][77] = 1;
		if (!((((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ])==1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 31: // STATE 78 - hot_paths.pml:13 - [((owner[0]!=0))] (89:0:3 - 1)
		IfNotBlocked
		reached[1][78] = 1;
		if (!((((int)now.owner[0])!=0)))
			continue;
		/* merge: f = 0(89, 79, 89) */
		reached[1][79] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(89, 83, 89) */
		reached[1][83] = 1;
		;
		/* merge: presented[me] = (f+1)(89, 84, 89) */
		reached[1][84] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(89, 86, 89) */
		reached[1][86] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 32: // STATE 80 - hot_paths.pml:13 - [((owner[1]!=0))] (89:0:3 - 1)
		IfNotBlocked
		reached[1][80] = 1;
		if (!((((int)now.owner[1])!=0)))
			continue;
		/* merge: f = 1(89, 81, 89) */
		reached[1][81] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 1;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(89, 83, 89) */
		reached[1][83] = 1;
		;
		/* merge: presented[me] = (f+1)(89, 84, 89) */
		reached[1][84] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(89, 86, 89) */
		reached[1][86] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 33: // STATE 84 - hot_paths.pml:14 - [presented[me] = (f+1)] (0:89:2 - 3)
		IfNotBlocked
		reached[1][84] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(89, 86, 89) */
		reached[1][86] = 1;
		(trpt+1)->bup.ovals[1] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 34: // STATE 87 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:102:0 - 1)
		IfNotBlocked
		reached[1][87] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(102, 88, 102) */
		reached[1][88] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 35: // STATE 91 - hot_paths.pml:30 - [(((presented[me]==(f+1))&&!(dirty[f])))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][91] = 1;
		if (!(((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))&& !(((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 36: // STATE 92 - hot_paths.pml:31 - [word[me] = (f+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][92] = 1;
		(trpt+1)->bup.oval = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.word[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("word[cpu:me]", ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 37: // STATE 93 - hot_paths.pml:33 - [(((tag[c]==1)&&(pte[c]==(f+1))))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][93] = 1;
		if (!(((((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ])==1)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])==(((int)((P1 *)_this)->f)+1)))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: f */  (trpt+1)->bup.oval = ((P1 *)_this)->f;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->f = 0;
		_m = 3; goto P999; /* 0 */
	case 38: // STATE 94 - hot_paths.pml:33 - [tag[c] = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[1][94] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 2;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 39: // STATE 95 - hot_paths.pml:33 - [slot[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][95] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 40: // STATE 103 - hot_paths.pml:13 - [((owner[0]!=0))] (114:0:3 - 1)
		IfNotBlocked
		reached[1][103] = 1;
		if (!((((int)now.owner[0])!=0)))
			continue;
		/* merge: f = 0(114, 104, 114) */
		reached[1][104] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(114, 108, 114) */
		reached[1][108] = 1;
		;
		/* merge: presented[me] = (f+1)(114, 109, 114) */
		reached[1][109] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(114, 111, 114) */
		reached[1][111] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 41: // STATE 105 - hot_paths.pml:13 - [((owner[1]!=0))] (114:0:3 - 1)
		IfNotBlocked
		reached[1][105] = 1;
		if (!((((int)now.owner[1])!=0)))
			continue;
		/* merge: f = 1(114, 106, 114) */
		reached[1][106] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 1;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(114, 108, 114) */
		reached[1][108] = 1;
		;
		/* merge: presented[me] = (f+1)(114, 109, 114) */
		reached[1][109] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(114, 111, 114) */
		reached[1][111] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 42: // STATE 109 - hot_paths.pml:14 - [presented[me] = (f+1)] (0:114:2 - 3)
		IfNotBlocked
		reached[1][109] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(114, 111, 114) */
		reached[1][111] = 1;
		(trpt+1)->bup.ovals[1] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 43: // STATE 112 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:121:0 - 1)
		IfNotBlocked
		reached[1][112] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(121, 113, 121) */
		reached[1][113] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 44: // STATE 116 - hot_paths.pml:9 - [c = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][116] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = 0;
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 45: // STATE 117 - hot_paths.pml:9 - [((2>1))] (289:0:1 - 1)
		IfNotBlocked
		reached[1][117] = 1;
		if (!((2>1)))
			continue;
		/* merge: c = 1(0, 118, 289) */
		reached[1][118] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = 1;
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		/* merge: .(goto)(0, 120, 289) */
		reached[1][120] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 46: // STATE 122 - frames.pml:77 - [((cpus[c]==(1<<me)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][122] = 1;
		if (!((((int)now.cpus[ Index(((int)((P1 *)_this)->c), 2) ])==(1<<((int)((P1 *)_this)->me)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 47: // STATE 123 - frames.pml:39 - [(((pte[c]!=0)&&(pte[c]!=(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][123] = 1;
		if (!(((((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=0)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 48: // STATE 124 - frames.pml:43 - [tag[c] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][124] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 1;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 49: // STATE 125 - frames.pml:43 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][125] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 50: // STATE 126 - frames.pml:45 - [tlb[((me*2)+c)] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][126] = 1;
		(trpt+1)->bup.oval = ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]);
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:c)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 51: // STATE 127 - frames.pml:46 - [mine = (pte[c]-1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][127] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = (((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])-1);
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 52: // STATE 128 - stopping.pml:15 - [(!(list_lock[mine]))] (132:0:1 - 1)
		IfNotBlocked
		reached[1][128] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]))))
			continue;
		/* merge: list_lock[mine] = 1(0, 129, 132) */
		reached[1][129] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:mine]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 53: // STATE 132 - frames.pml:46 - [pte[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][132] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 54: // STATE 133 - stopping.pml:16 - [list_lock[mine] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][133] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:mine]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 55: // STATE 135 - frames.pml:46 - [mine = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][135] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 56: // STATE 140 - stopping.pml:15 - [(!(list_lock[f]))] (150:0:1 - 1)
		IfNotBlocked
		reached[1][140] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 141, 150) */
		reached[1][141] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 57: // STATE 144 - frames.pml:26 - [(dirty[f])] (0:0:0 - 1)
		IfNotBlocked
		reached[1][144] = 1;
		if (!(((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 58: // STATE 145 - frames.pml:30 - [old_bytes[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][145] = 1;
		(trpt+1)->bup.oval = ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("old_bytes[cpu:f]", ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 59: // STATE 146 - frames.pml:30 - [dirty[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][146] = 1;
		(trpt+1)->bup.oval = ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("dirty[cpu:f]", ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 60: // STATE 151 - frames.pml:59 - [((presented[me]==(f+1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][151] = 1;
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 61: // STATE 152 - frames.pml:61 - [word[me] = (f+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][152] = 1;
		(trpt+1)->bup.oval = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.word[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("word[cpu:me]", ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 62: // STATE 153 - frames.pml:61 - [pte[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][153] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 63: // STATE 154 - frames.pml:61 - [tag[c] = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[1][154] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 2;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 64: // STATE 155 - frames.pml:61 - [slot[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][155] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 65: // STATE 159 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][159] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 66: // STATE 162 - frames.pml:78 - [((!((cpus[c]==(1<<me)))&&1))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][162] = 1;
		if (!(( !((((int)now.cpus[ Index(((int)((P1 *)_this)->c), 2) ])==(1<<((int)((P1 *)_this)->me))))&&1)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 67: // STATE 163 - stopping.pml:42 - [mine = next_ticket] (0:201:3 - 1)
		IfNotBlocked
		reached[1][163] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = ((int)now.next_ticket);
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: next_ticket = ((next_ticket+1)%(2+1))(201, 164, 201) */
		reached[1][164] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.next_ticket);
		now.next_ticket = ((((int)now.next_ticket)+1)%(2+1));
#ifdef VAR_RANGES
		logval("next_ticket", ((int)now.next_ticket));
#endif
		;
		/* merge: waits[me] = 1(201, 165, 201) */
		reached[1][165] = 1;
		(trpt+1)->bup.ovals[2] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: .(goto)(0, 202, 201) */
		reached[1][202] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 68: // STATE 167 - stopping.pml:44 - [((now_serving==mine))] (204:0:3 - 1)
		IfNotBlocked
		reached[1][167] = 1;
		if (!((((int)now.now_serving)==((int)((P1 *)_this)->mine))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: mine */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->mine;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->mine = 0;
		/* merge: waits[me] = 0(204, 168, 204) */
		reached[1][168] = 1;
		(trpt+1)->bup.ovals[1] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: mine = 0(204, 169, 204) */
		reached[1][169] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: goto :b4(204, 170, 204) */
		reached[1][170] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 69: // STATE 172 - stopping.pml:46 - [(((now_serving!=mine)&&stop))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][172] = 1;
		if (!(((((int)now.now_serving)!=((int)((P1 *)_this)->mine))&&((int)now.stop))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 70: // STATE 173 - stopping.pml:23 - [(stop)] (176:0:1 - 1)
		IfNotBlocked
		reached[1][173] = 1;
		if (!(((int)now.stop)))
			continue;
		/* merge: parked[me] = 1(0, 174, 176) */
		reached[1][174] = 1;
		(trpt+1)->bup.oval = ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.parked[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("parked[cpu:me]", ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 71: // STATE 176 - stopping.pml:24 - [((!(stop)||!(parked[me])))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][176] = 1;
		if (!(( !(((int)now.stop))|| !(((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 72: // STATE 177 - stopping.pml:28 - [(told[me])] (191:0:1 - 1)
		IfNotBlocked
		reached[1][177] = 1;
		if (!(((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		/* merge: told[me] = 0(0, 178, 191) */
		reached[1][178] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.told[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("told[cpu:me]", ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 73: // STATE 190 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][190] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_186_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_193_0: /* 2 */
S_192_0: /* 2 */
S_187_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_192_1;
S_188_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_189_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_193_0; /* ';' */
S_192_1: /* 3 */
S_190_0: /* 2 */
		/* else */;
S_191_0: /* 2 */
		goto S_194_0;	/* 'goto' */
S_192_2: /* 3 */
		Uerror("blocking sel in d_step (nr.1, near line 18)");
S_194_0: /* 2 */
		goto S_195_0;	/* 'break' */
S_195_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_200_0;
S_200_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 74: // STATE 205 - stopping.pml:52 - [stop = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][205] = 1;
		(trpt+1)->bup.oval = ((int)now.stop);
		now.stop = 1;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 75: // STATE 206 - stopping.pml:53 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][206] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 76: // STATE 207 - stopping.pml:54 - [((n<2))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][207] = 1;
		if (!((((int)((P1 *)_this)->n)<2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 77: // STATE 208 - stopping.pml:54 - [(((n==me)||parked[n]))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][208] = 1;
		if (!(((((int)((P1 *)_this)->n)==((int)((P1 *)_this)->me))||((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 78: // STATE 209 - stopping.pml:54 - [n = (n+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][209] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 79: // STATE 211 - stopping.pml:54 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][211] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 80: // STATE 217 - frames.pml:78 - [((presented[me]==(f+1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][217] = 1;
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 81: // STATE 218 - frames.pml:39 - [(((pte[c]!=0)&&(pte[c]!=(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][218] = 1;
		if (!(((((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=0)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 82: // STATE 219 - frames.pml:43 - [tag[c] = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][219] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 1;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 83: // STATE 220 - frames.pml:43 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][220] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 84: // STATE 221 - frames.pml:45 - [tlb[((me*2)+c)] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][221] = 1;
		(trpt+1)->bup.oval = ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]);
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->c), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:c)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->c)), 4) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 85: // STATE 222 - frames.pml:46 - [mine = (pte[c]-1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][222] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = (((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])-1);
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 86: // STATE 223 - stopping.pml:15 - [(!(list_lock[mine]))] (227:0:1 - 1)
		IfNotBlocked
		reached[1][223] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]))))
			continue;
		/* merge: list_lock[mine] = 1(0, 224, 227) */
		reached[1][224] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:mine]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 87: // STATE 227 - frames.pml:46 - [pte[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][227] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 88: // STATE 228 - stopping.pml:16 - [list_lock[mine] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][228] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->mine, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:mine]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->mine), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 89: // STATE 230 - frames.pml:46 - [mine = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][230] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 90: // STATE 235 - stopping.pml:15 - [(!(list_lock[f]))] (245:0:1 - 1)
		IfNotBlocked
		reached[1][235] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 236, 245) */
		reached[1][236] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 91: // STATE 239 - frames.pml:26 - [(dirty[f])] (0:0:0 - 1)
		IfNotBlocked
		reached[1][239] = 1;
		if (!(((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ])))
			continue;
		_m = 3; goto P999; /* 0 */
	case 92: // STATE 240 - frames.pml:30 - [old_bytes[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][240] = 1;
		(trpt+1)->bup.oval = ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("old_bytes[cpu:f]", ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 93: // STATE 241 - frames.pml:30 - [dirty[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][241] = 1;
		(trpt+1)->bup.oval = ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("dirty[cpu:f]", ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 94: // STATE 246 - frames.pml:59 - [((presented[me]==(f+1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][246] = 1;
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 95: // STATE 247 - frames.pml:61 - [word[me] = (f+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][247] = 1;
		(trpt+1)->bup.oval = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.word[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("word[cpu:me]", ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 96: // STATE 248 - frames.pml:61 - [pte[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][248] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 97: // STATE 249 - frames.pml:61 - [tag[c] = 2] (0:0:1 - 1)
		IfNotBlocked
		reached[1][249] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 2;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 98: // STATE 250 - frames.pml:61 - [slot[c] = word[me]] (0:0:1 - 1)
		IfNotBlocked
		reached[1][250] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = ((int)now.word[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 99: // STATE 254 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][254] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 100: // STATE 270 - stopping.pml:59 - [D_STEP59]
		IfNotBlocked

		reached[1][270] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_266_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_273_0: /* 2 */
S_272_0: /* 2 */
S_267_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_272_1;
S_268_0: /* 2 */
		now.told[ Index(((P1 *)_this)->n, 2) ] = (((int)((P1 *)_this)->n)!=((int)((P1 *)_this)->me));
#ifdef VAR_RANGES
		logval("told[cpu:n]", ((int)now.told[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_269_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_273_0; /* ';' */
S_272_1: /* 3 */
S_270_0: /* 2 */
		/* else */;
S_271_0: /* 2 */
		goto S_274_0;	/* 'goto' */
S_272_2: /* 3 */
		Uerror("blocking sel in d_step (nr.2, near line 59)");
S_274_0: /* 2 */
		goto S_275_0;	/* 'break' */
S_275_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_291_0;
S_291_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 101: // STATE 283 - stopping.pml:62 - [D_STEP62]
		IfNotBlocked

		reached[1][283] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_278_0: /* 2 */
		now.stop = 0;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
S_279_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_286_0: /* 2 */
S_285_0: /* 2 */
S_280_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_285_1;
S_281_0: /* 2 */
		now.parked[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("parked[cpu:n]", ((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_282_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_286_0; /* ';' */
S_285_1: /* 3 */
S_283_0: /* 2 */
		/* else */;
S_284_0: /* 2 */
		goto S_287_0;	/* 'goto' */
S_285_2: /* 3 */
		Uerror("blocking sel in d_step (nr.3, near line 65)");
S_287_0: /* 2 */
		goto S_288_0;	/* 'break' */
S_288_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_290_0;
S_290_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 102: // STATE 284 - stopping.pml:71 - [now_serving = ((now_serving+1)%(2+1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][284] = 1;
		(trpt+1)->bup.oval = ((int)now.now_serving);
		now.now_serving = ((((int)now.now_serving)+1)%(2+1));
#ifdef VAR_RANGES
		logval("now_serving", ((int)now.now_serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 103: // STATE 290 - hot_paths.pml:13 - [((owner[0]!=0))] (301:0:3 - 1)
		IfNotBlocked
		reached[1][290] = 1;
		if (!((((int)now.owner[0])!=0)))
			continue;
		/* merge: f = 0(301, 291, 301) */
		reached[1][291] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(301, 295, 301) */
		reached[1][295] = 1;
		;
		/* merge: presented[me] = (f+1)(301, 296, 301) */
		reached[1][296] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(301, 298, 301) */
		reached[1][298] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 104: // STATE 292 - hot_paths.pml:13 - [((owner[1]!=0))] (301:0:3 - 1)
		IfNotBlocked
		reached[1][292] = 1;
		if (!((((int)now.owner[1])!=0)))
			continue;
		/* merge: f = 1(301, 293, 301) */
		reached[1][293] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 1;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(301, 295, 301) */
		reached[1][295] = 1;
		;
		/* merge: presented[me] = (f+1)(301, 296, 301) */
		reached[1][296] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(301, 298, 301) */
		reached[1][298] = 1;
		(trpt+1)->bup.ovals[2] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 4 */
	case 105: // STATE 296 - hot_paths.pml:14 - [presented[me] = (f+1)] (0:301:2 - 3)
		IfNotBlocked
		reached[1][296] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.presented[ Index(((P1 *)_this)->me, 2) ] = (((int)((P1 *)_this)->f)+1);
#ifdef VAR_RANGES
		logval("presented[cpu:me]", ((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: user[me] = 0(301, 298, 301) */
		reached[1][298] = 1;
		(trpt+1)->bup.ovals[1] = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 106: // STATE 299 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:663:0 - 1)
		IfNotBlocked
		reached[1][299] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(663, 300, 663) */
		reached[1][300] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 107: // STATE 303 - stopping.pml:15 - [(!(list_lock[f]))] (661:0:1 - 1)
		IfNotBlocked
		reached[1][303] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 304, 661) */
		reached[1][304] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 108: // STATE 307 - frames.pml:119 - [((presented[me]==(f+1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][307] = 1;
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 109: // STATE 319 - frames.pml:121 - [D_STEP121]
		IfNotBlocked

		reached[1][319] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_314_0: /* 2 */
		((P1 *)_this)->all_here = 1;
#ifdef VAR_RANGES
		logval("cpu:all_here", ((int)((P1 *)_this)->all_here));
#endif
		;
S_315_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_322_0: /* 2 */
S_321_0: /* 2 */
S_316_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_321_1;
S_317_0: /* 2 */
		((P1 *)_this)->all_here = (((int)((P1 *)_this)->all_here)&&((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])!=(((int)((P1 *)_this)->f)+1))||(((int)now.cpus[ Index(((int)((P1 *)_this)->n), 2) ])==(1<<((int)((P1 *)_this)->me)))));
#ifdef VAR_RANGES
		logval("cpu:all_here", ((int)((P1 *)_this)->all_here));
#endif
		;
S_318_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_322_0; /* ';' */
S_321_1: /* 3 */
S_319_0: /* 2 */
		/* else */;
S_320_0: /* 2 */
		goto S_323_0;	/* 'goto' */
S_321_2: /* 3 */
		Uerror("blocking sel in d_step (nr.4, near line 123)");
S_323_0: /* 2 */
		goto S_324_0;	/* 'break' */
S_324_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_662_0;
S_662_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 110: // STATE 320 - frames.pml:126 - [(all_here)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][320] = 1;
		if (!(((int)((P1 *)_this)->all_here)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: all_here */  (trpt+1)->bup.oval = ((P1 *)_this)->all_here;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->all_here = 0;
		_m = 3; goto P999; /* 0 */
	case 111: // STATE 335 - frames.pml:12 - [D_STEP12]
		IfNotBlocked

		reached[1][335] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_327_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_338_0: /* 2 */
S_337_0: /* 2 */
S_328_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_337_1;
S_332_0: /* 2 */
S_329_0: /* 2 */
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_332_1;
S_330_0: /* 2 */
		now.presented[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("presented[cpu:n]", ((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_333_0;
S_332_1: /* 3 */
S_331_0: /* 2 */
		/* else */;
		goto S_333_0;
S_332_2: /* 3 */
		Uerror("blocking sel in d_step (nr.5, near line 12)");
S_333_0: /* 2 */
S_334_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_338_0; /* ';' */
S_337_1: /* 3 */
S_335_0: /* 2 */
		/* else */;
S_336_0: /* 2 */
		goto S_339_0;	/* 'goto' */
S_337_2: /* 3 */
		Uerror("blocking sel in d_step (nr.6, near line 12)");
S_339_0: /* 2 */
		goto S_340_0;	/* 'break' */
S_340_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_344_0;
S_344_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 112: // STATE 337 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][337] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 113: // STATE 339 - frames.pml:86 - [c = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][339] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = 0;
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 114: // STATE 340 - frames.pml:88 - [(((c<2)&&(pte[c]==(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][340] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])==(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 115: // STATE 341 - frames.pml:92 - [tag[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][341] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 116: // STATE 342 - frames.pml:92 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][342] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 117: // STATE 343 - stopping.pml:15 - [(!(list_lock[f]))] (347:0:1 - 1)
		IfNotBlocked
		reached[1][343] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 344, 347) */
		reached[1][344] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 118: // STATE 347 - frames.pml:94 - [pte[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][347] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 119: // STATE 348 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][348] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 120: // STATE 350 - frames.pml:94 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][350] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 121: // STATE 351 - frames.pml:95 - [(((c<2)&&(pte[c]!=(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][351] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 122: // STATE 352 - frames.pml:95 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][352] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 123: // STATE 358 - frames.pml:98 - [c = loaded[me]] (0:0:2 - 3)
		IfNotBlocked
		reached[1][358] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = ((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: c */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->c = 0;
		_m = 3; goto P999; /* 0 */
	case 124: // STATE 370 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][370] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_366_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_373_0: /* 2 */
S_372_0: /* 2 */
S_367_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_372_1;
S_368_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_369_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_373_0; /* ';' */
S_372_1: /* 3 */
S_370_0: /* 2 */
		/* else */;
S_371_0: /* 2 */
		goto S_374_0;	/* 'goto' */
S_372_2: /* 3 */
		Uerror("blocking sel in d_step (nr.7, near line 18)");
S_374_0: /* 2 */
		goto S_375_0;	/* 'break' */
S_375_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_442_0;
S_442_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 125: // STATE 435 - frames.pml:15 - [D_STEP15]
		/* default 258 */
		

		reached[1][435] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_378_0: /* 2 */
		spin_assert((((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ])!=0), "(owner[f]!=0)", II, tt, t);
S_379_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_386_0: /* 2 */
S_385_0: /* 2 */
S_380_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_385_1;
S_381_0: /* 2 */
		spin_assert((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])!=(((int)((P1 *)_this)->f)+1)), "(pte[n]!=(f+1))", II, tt, t);
S_382_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_386_0; /* ';' */
S_385_1: /* 3 */
S_383_0: /* 2 */
		/* else */;
S_384_0: /* 2 */
		goto S_388_0;	/* 'goto' */
S_385_2: /* 3 */
		Uerror("blocking sel in d_step (nr.8, near line 17)");
S_387_0: /* 2 */
		goto S_388_0;	/* 'break' */
S_388_0: /* 2 */
		now.owner[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("owner[cpu:f]", ((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_389_0: /* 2 */
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("dirty[cpu:f]", ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_390_0: /* 2 */
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("old_bytes[cpu:f]", ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_440_0: /* 2 */
S_391_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_409_0: /* 2 */
S_408_0: /* 2 */
S_392_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_408_1;
S_398_0: /* 2 */
S_396_0: /* 2 */
S_393_0: /* 2 */
		if (!((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_396_1;
S_394_0: /* 2 */
		now.pte[ Index(((P1 *)_this)->n, 2) ] = (((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("pte[cpu:n]", ((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_397_0;
S_396_1: /* 3 */
S_395_0: /* 2 */
		/* else */;
		goto S_397_0;
S_396_2: /* 3 */
		Uerror("blocking sel in d_step (nr.9, near line 4)");
S_397_0: /* 2 */
		goto S_404_0;
S_404_0: /* 2 */
S_402_0: /* 2 */
S_399_0: /* 2 */
		if (!((((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_402_1;
S_400_0: /* 2 */
		now.slot[ Index(((P1 *)_this)->n, 2) ] = (((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("slot[cpu:n]", ((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_403_0;
S_402_1: /* 3 */
S_401_0: /* 2 */
		/* else */;
		goto S_403_0;
S_402_2: /* 3 */
		Uerror("blocking sel in d_step (nr.10, near line 4)");
S_403_0: /* 2 */
		goto S_405_0;
S_405_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_409_0; /* ';' */
S_408_1: /* 3 */
S_406_0: /* 2 */
		/* else */;
S_407_0: /* 2 */
		goto S_411_0;	/* 'goto' */
S_408_2: /* 3 */
		Uerror("blocking sel in d_step (nr.11, near line 6)");
S_410_0: /* 2 */
		goto S_411_0;	/* 'break' */
S_411_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_423_0: /* 2 */
S_422_0: /* 2 */
S_412_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_422_1;
S_418_0: /* 2 */
S_416_0: /* 2 */
S_413_0: /* 2 */
		if (!((((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_416_1;
S_414_0: /* 2 */
		now.word[ Index(((P1 *)_this)->n, 2) ] = (((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("word[cpu:n]", ((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_417_0;
S_416_1: /* 3 */
S_415_0: /* 2 */
		/* else */;
		goto S_417_0;
S_416_2: /* 3 */
		Uerror("blocking sel in d_step (nr.12, near line 4)");
S_417_0: /* 2 */
		goto S_419_0;
S_419_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_423_0; /* ';' */
S_422_1: /* 3 */
S_420_0: /* 2 */
		/* else */;
S_421_0: /* 2 */
		goto S_425_0;	/* 'goto' */
S_422_2: /* 3 */
		Uerror("blocking sel in d_step (nr.13, near line 7)");
S_424_0: /* 2 */
		goto S_425_0;	/* 'break' */
S_425_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_437_0: /* 2 */
S_436_0: /* 2 */
S_426_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<(2*2))))
			goto S_436_1;
S_432_0: /* 2 */
S_430_0: /* 2 */
S_427_0: /* 2 */
		if (!((((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_430_1;
S_428_0: /* 2 */
		now.tlb[ Index(((P1 *)_this)->n, 4) ] = (((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])|4);
#ifdef VAR_RANGES
		logval("tlb[cpu:n]", ((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ]));
#endif
		;
		goto S_431_0;
S_430_1: /* 3 */
S_429_0: /* 2 */
		/* else */;
		goto S_431_0;
S_430_2: /* 3 */
		Uerror("blocking sel in d_step (nr.14, near line 4)");
S_431_0: /* 2 */
		goto S_433_0;
S_433_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_437_0; /* ';' */
S_436_1: /* 3 */
S_434_0: /* 2 */
		/* else */;
S_435_0: /* 2 */
		goto S_438_0;	/* 'goto' */
S_436_2: /* 3 */
		Uerror("blocking sel in d_step (nr.15, near line 8)");
S_438_0: /* 2 */
		goto S_439_0;	/* 'break' */
S_439_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_663_0;
S_663_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 126: // STATE 437 - frames.pml:127 - [((!(all_here)&&1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][437] = 1;
		if (!(( !(((int)((P1 *)_this)->all_here))&&1)))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: all_here */  (trpt+1)->bup.oval = ((P1 *)_this)->all_here;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->all_here = 0;
		_m = 3; goto P999; /* 0 */
	case 127: // STATE 438 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][438] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 128: // STATE 440 - stopping.pml:42 - [mine = next_ticket] (0:478:3 - 1)
		IfNotBlocked
		reached[1][440] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = ((int)now.next_ticket);
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: next_ticket = ((next_ticket+1)%(2+1))(478, 441, 478) */
		reached[1][441] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.next_ticket);
		now.next_ticket = ((((int)now.next_ticket)+1)%(2+1));
#ifdef VAR_RANGES
		logval("next_ticket", ((int)now.next_ticket));
#endif
		;
		/* merge: waits[me] = 1(478, 442, 478) */
		reached[1][442] = 1;
		(trpt+1)->bup.ovals[2] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: .(goto)(0, 479, 478) */
		reached[1][479] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 129: // STATE 444 - stopping.pml:44 - [((now_serving==mine))] (481:0:3 - 1)
		IfNotBlocked
		reached[1][444] = 1;
		if (!((((int)now.now_serving)==((int)((P1 *)_this)->mine))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: mine */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->mine;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->mine = 0;
		/* merge: waits[me] = 0(481, 445, 481) */
		reached[1][445] = 1;
		(trpt+1)->bup.ovals[1] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: mine = 0(481, 446, 481) */
		reached[1][446] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: goto :b18(481, 447, 481) */
		reached[1][447] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 130: // STATE 449 - stopping.pml:46 - [(((now_serving!=mine)&&stop))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][449] = 1;
		if (!(((((int)now.now_serving)!=((int)((P1 *)_this)->mine))&&((int)now.stop))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 131: // STATE 450 - stopping.pml:23 - [(stop)] (453:0:1 - 1)
		IfNotBlocked
		reached[1][450] = 1;
		if (!(((int)now.stop)))
			continue;
		/* merge: parked[me] = 1(0, 451, 453) */
		reached[1][451] = 1;
		(trpt+1)->bup.oval = ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.parked[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("parked[cpu:me]", ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 132: // STATE 453 - stopping.pml:24 - [((!(stop)||!(parked[me])))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][453] = 1;
		if (!(( !(((int)now.stop))|| !(((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 133: // STATE 454 - stopping.pml:28 - [(told[me])] (468:0:1 - 1)
		IfNotBlocked
		reached[1][454] = 1;
		if (!(((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		/* merge: told[me] = 0(0, 455, 468) */
		reached[1][455] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.told[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("told[cpu:me]", ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 134: // STATE 467 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][467] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_463_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_470_0: /* 2 */
S_469_0: /* 2 */
S_464_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_469_1;
S_465_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_466_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_470_0; /* ';' */
S_469_1: /* 3 */
S_467_0: /* 2 */
		/* else */;
S_468_0: /* 2 */
		goto S_471_0;	/* 'goto' */
S_469_2: /* 3 */
		Uerror("blocking sel in d_step (nr.16, near line 18)");
S_471_0: /* 2 */
		goto S_472_0;	/* 'break' */
S_472_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_477_0;
S_477_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 135: // STATE 482 - stopping.pml:52 - [stop = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][482] = 1;
		(trpt+1)->bup.oval = ((int)now.stop);
		now.stop = 1;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 136: // STATE 483 - stopping.pml:53 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][483] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 137: // STATE 484 - stopping.pml:54 - [((n<2))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][484] = 1;
		if (!((((int)((P1 *)_this)->n)<2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 138: // STATE 485 - stopping.pml:54 - [(((n==me)||parked[n]))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][485] = 1;
		if (!(((((int)((P1 *)_this)->n)==((int)((P1 *)_this)->me))||((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 139: // STATE 486 - stopping.pml:54 - [n = (n+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][486] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 140: // STATE 488 - stopping.pml:54 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][488] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 141: // STATE 494 - frames.pml:134 - [((presented[me]==(f+1)))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][494] = 1;
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->me), 2) ])==(((int)((P1 *)_this)->f)+1))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 142: // STATE 509 - frames.pml:12 - [D_STEP12]
		IfNotBlocked

		reached[1][509] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_501_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_512_0: /* 2 */
S_511_0: /* 2 */
S_502_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_511_1;
S_506_0: /* 2 */
S_503_0: /* 2 */
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_506_1;
S_504_0: /* 2 */
		now.presented[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("presented[cpu:n]", ((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_507_0;
S_506_1: /* 3 */
S_505_0: /* 2 */
		/* else */;
		goto S_507_0;
S_506_2: /* 3 */
		Uerror("blocking sel in d_step (nr.17, near line 12)");
S_507_0: /* 2 */
S_508_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_512_0; /* ';' */
S_511_1: /* 3 */
S_509_0: /* 2 */
		/* else */;
S_510_0: /* 2 */
		goto S_513_0;	/* 'goto' */
S_511_2: /* 3 */
		Uerror("blocking sel in d_step (nr.18, near line 12)");
S_513_0: /* 2 */
		goto S_514_0;	/* 'break' */
S_514_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_641_0;
S_641_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 143: // STATE 511 - frames.pml:86 - [c = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][511] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = 0;
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 144: // STATE 512 - frames.pml:88 - [(((c<2)&&(pte[c]==(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][512] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])==(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 145: // STATE 513 - frames.pml:92 - [tag[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][513] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 146: // STATE 514 - frames.pml:92 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][514] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 147: // STATE 515 - stopping.pml:15 - [(!(list_lock[f]))] (519:0:1 - 1)
		IfNotBlocked
		reached[1][515] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 516, 519) */
		reached[1][516] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 148: // STATE 519 - frames.pml:94 - [pte[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][519] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 149: // STATE 520 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][520] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 150: // STATE 522 - frames.pml:94 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][522] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 151: // STATE 523 - frames.pml:95 - [(((c<2)&&(pte[c]!=(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][523] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 152: // STATE 524 - frames.pml:95 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][524] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 153: // STATE 530 - frames.pml:98 - [c = loaded[me]] (0:0:2 - 3)
		IfNotBlocked
		reached[1][530] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = ((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: c */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->c = 0;
		_m = 3; goto P999; /* 0 */
	case 154: // STATE 542 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][542] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_538_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_545_0: /* 2 */
S_544_0: /* 2 */
S_539_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_544_1;
S_540_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_541_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_545_0; /* ';' */
S_544_1: /* 3 */
S_542_0: /* 2 */
		/* else */;
S_543_0: /* 2 */
		goto S_546_0;	/* 'goto' */
S_544_2: /* 3 */
		Uerror("blocking sel in d_step (nr.19, near line 18)");
S_546_0: /* 2 */
		goto S_547_0;	/* 'break' */
S_547_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_561_0;
S_561_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 155: // STATE 554 - stopping.pml:59 - [D_STEP59]
		IfNotBlocked

		reached[1][554] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_550_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_557_0: /* 2 */
S_556_0: /* 2 */
S_551_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_556_1;
S_552_0: /* 2 */
		now.told[ Index(((P1 *)_this)->n, 2) ] = (((int)((P1 *)_this)->n)!=((int)((P1 *)_this)->me));
#ifdef VAR_RANGES
		logval("told[cpu:n]", ((int)now.told[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_553_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_557_0; /* ';' */
S_556_1: /* 3 */
S_554_0: /* 2 */
		/* else */;
S_555_0: /* 2 */
		goto S_558_0;	/* 'goto' */
S_556_2: /* 3 */
		Uerror("blocking sel in d_step (nr.20, near line 59)");
S_558_0: /* 2 */
		goto S_559_0;	/* 'break' */
S_559_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_626_0;
S_626_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 156: // STATE 619 - frames.pml:15 - [D_STEP15]
		/* default 258 */
		

		reached[1][619] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_562_0: /* 2 */
		spin_assert((((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ])!=0), "(owner[f]!=0)", II, tt, t);
S_563_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_570_0: /* 2 */
S_569_0: /* 2 */
S_564_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_569_1;
S_565_0: /* 2 */
		spin_assert((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])!=(((int)((P1 *)_this)->f)+1)), "(pte[n]!=(f+1))", II, tt, t);
S_566_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_570_0; /* ';' */
S_569_1: /* 3 */
S_567_0: /* 2 */
		/* else */;
S_568_0: /* 2 */
		goto S_572_0;	/* 'goto' */
S_569_2: /* 3 */
		Uerror("blocking sel in d_step (nr.21, near line 17)");
S_571_0: /* 2 */
		goto S_572_0;	/* 'break' */
S_572_0: /* 2 */
		now.owner[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("owner[cpu:f]", ((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_573_0: /* 2 */
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("dirty[cpu:f]", ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_574_0: /* 2 */
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("old_bytes[cpu:f]", ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_624_0: /* 2 */
S_575_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_593_0: /* 2 */
S_592_0: /* 2 */
S_576_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_592_1;
S_582_0: /* 2 */
S_580_0: /* 2 */
S_577_0: /* 2 */
		if (!((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_580_1;
S_578_0: /* 2 */
		now.pte[ Index(((P1 *)_this)->n, 2) ] = (((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("pte[cpu:n]", ((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_581_0;
S_580_1: /* 3 */
S_579_0: /* 2 */
		/* else */;
		goto S_581_0;
S_580_2: /* 3 */
		Uerror("blocking sel in d_step (nr.22, near line 4)");
S_581_0: /* 2 */
		goto S_588_0;
S_588_0: /* 2 */
S_586_0: /* 2 */
S_583_0: /* 2 */
		if (!((((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_586_1;
S_584_0: /* 2 */
		now.slot[ Index(((P1 *)_this)->n, 2) ] = (((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("slot[cpu:n]", ((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_587_0;
S_586_1: /* 3 */
S_585_0: /* 2 */
		/* else */;
		goto S_587_0;
S_586_2: /* 3 */
		Uerror("blocking sel in d_step (nr.23, near line 4)");
S_587_0: /* 2 */
		goto S_589_0;
S_589_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_593_0; /* ';' */
S_592_1: /* 3 */
S_590_0: /* 2 */
		/* else */;
S_591_0: /* 2 */
		goto S_595_0;	/* 'goto' */
S_592_2: /* 3 */
		Uerror("blocking sel in d_step (nr.24, near line 6)");
S_594_0: /* 2 */
		goto S_595_0;	/* 'break' */
S_595_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_607_0: /* 2 */
S_606_0: /* 2 */
S_596_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_606_1;
S_602_0: /* 2 */
S_600_0: /* 2 */
S_597_0: /* 2 */
		if (!((((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_600_1;
S_598_0: /* 2 */
		now.word[ Index(((P1 *)_this)->n, 2) ] = (((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("word[cpu:n]", ((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_601_0;
S_600_1: /* 3 */
S_599_0: /* 2 */
		/* else */;
		goto S_601_0;
S_600_2: /* 3 */
		Uerror("blocking sel in d_step (nr.25, near line 4)");
S_601_0: /* 2 */
		goto S_603_0;
S_603_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_607_0; /* ';' */
S_606_1: /* 3 */
S_604_0: /* 2 */
		/* else */;
S_605_0: /* 2 */
		goto S_609_0;	/* 'goto' */
S_606_2: /* 3 */
		Uerror("blocking sel in d_step (nr.26, near line 7)");
S_608_0: /* 2 */
		goto S_609_0;	/* 'break' */
S_609_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_621_0: /* 2 */
S_620_0: /* 2 */
S_610_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<(2*2))))
			goto S_620_1;
S_616_0: /* 2 */
S_614_0: /* 2 */
S_611_0: /* 2 */
		if (!((((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_614_1;
S_612_0: /* 2 */
		now.tlb[ Index(((P1 *)_this)->n, 4) ] = (((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])|4);
#ifdef VAR_RANGES
		logval("tlb[cpu:n]", ((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ]));
#endif
		;
		goto S_615_0;
S_614_1: /* 3 */
S_613_0: /* 2 */
		/* else */;
		goto S_615_0;
S_614_2: /* 3 */
		Uerror("blocking sel in d_step (nr.27, near line 4)");
S_615_0: /* 2 */
		goto S_617_0;
S_617_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_621_0; /* ';' */
S_620_1: /* 3 */
S_618_0: /* 2 */
		/* else */;
S_619_0: /* 2 */
		goto S_622_0;	/* 'goto' */
S_620_2: /* 3 */
		Uerror("blocking sel in d_step (nr.28, near line 8)");
S_622_0: /* 2 */
		goto S_623_0;	/* 'break' */
S_623_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_640_0;
S_640_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 157: // STATE 632 - stopping.pml:62 - [D_STEP62]
		IfNotBlocked

		reached[1][632] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_627_0: /* 2 */
		now.stop = 0;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
S_628_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_635_0: /* 2 */
S_634_0: /* 2 */
S_629_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_634_1;
S_630_0: /* 2 */
		now.parked[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("parked[cpu:n]", ((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_631_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_635_0; /* ';' */
S_634_1: /* 3 */
S_632_0: /* 2 */
		/* else */;
S_633_0: /* 2 */
		goto S_636_0;	/* 'goto' */
S_634_2: /* 3 */
		Uerror("blocking sel in d_step (nr.29, near line 65)");
S_636_0: /* 2 */
		goto S_637_0;	/* 'break' */
S_637_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_639_0;
S_639_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 158: // STATE 633 - stopping.pml:71 - [now_serving = ((now_serving+1)%(2+1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][633] = 1;
		(trpt+1)->bup.oval = ((int)now.now_serving);
		now.now_serving = ((((int)now.now_serving)+1)%(2+1));
#ifdef VAR_RANGES
		logval("now_serving", ((int)now.now_serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 159: // STATE 648 - stopping.pml:62 - [D_STEP62]
		IfNotBlocked

		reached[1][648] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_643_0: /* 2 */
		now.stop = 0;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
S_644_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_651_0: /* 2 */
S_650_0: /* 2 */
S_645_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_650_1;
S_646_0: /* 2 */
		now.parked[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("parked[cpu:n]", ((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_647_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_651_0; /* ';' */
S_650_1: /* 3 */
S_648_0: /* 2 */
		/* else */;
S_649_0: /* 2 */
		goto S_652_0;	/* 'goto' */
S_650_2: /* 3 */
		Uerror("blocking sel in d_step (nr.30, near line 65)");
S_652_0: /* 2 */
		goto S_653_0;	/* 'break' */
S_653_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_655_0;
S_655_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 160: // STATE 649 - stopping.pml:71 - [now_serving = ((now_serving+1)%(2+1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][649] = 1;
		(trpt+1)->bup.oval = ((int)now.now_serving);
		now.now_serving = ((((int)now.now_serving)+1)%(2+1));
#ifdef VAR_RANGES
		logval("now_serving", ((int)now.now_serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 161: // STATE 654 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][654] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 162: // STATE 659 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][659] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 163: // STATE 664 - taking.pml:70 - [user[me] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][664] = 1;
		(trpt+1)->bup.oval = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 164: // STATE 665 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:674:0 - 1)
		IfNotBlocked
		reached[1][665] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(674, 666, 674) */
		reached[1][666] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 165: // STATE 669 - hot_paths.pml:9 - [f = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][669] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 166: // STATE 670 - hot_paths.pml:9 - [((2>1))] (681:0:1 - 1)
		IfNotBlocked
		reached[1][670] = 1;
		if (!((2>1)))
			continue;
		/* merge: f = 1(0, 671, 681) */
		reached[1][671] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 1;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(0, 673, 681) */
		reached[1][673] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 167: // STATE 675 - frames.pml:151 - [((owner[f]==0))] (19:0:1 - 1)
		IfNotBlocked
		reached[1][675] = 1;
		if (!((((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ])==0)))
			continue;
		/* merge: owner[f] = (me+1)(19, 676, 19) */
		reached[1][676] = 1;
		(trpt+1)->bup.oval = ((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.owner[ Index(((P1 *)_this)->f, 2) ] = (((int)((P1 *)_this)->me)+1);
#ifdef VAR_RANGES
		logval("owner[cpu:f]", ((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		/* merge: .(goto)(19, 679, 19) */
		reached[1][679] = 1;
		;
		/* merge: .(goto)(0, 909, 19) */
		reached[1][909] = 1;
		;
		/* merge: goto ring3(0, 910, 19) */
		reached[1][910] = 1;
		;
		_m = 3; goto P999; /* 4 */
	case 168: // STATE 679 - frames.pml:151 - [.(goto)] (0:19:0 - 2)
		IfNotBlocked
		reached[1][679] = 1;
		;
		/* merge: .(goto)(0, 909, 19) */
		reached[1][909] = 1;
		;
		/* merge: goto ring3(0, 910, 19) */
		reached[1][910] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 169: // STATE 682 - taking.pml:71 - [(1)] (686:0:1 - 1)
		IfNotBlocked
		reached[1][682] = 1;
		if (!(1))
			continue;
		/* merge: user[me] = 0(0, 683, 686) */
		reached[1][683] = 1;
		(trpt+1)->bup.oval = ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]);
		user[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("user[cpu:me]", ((int)user[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 170: // STATE 684 - hot_paths.pml:5 - [assert(!((tlb[((me*2)+loaded[me])]&4)))] (0:693:0 - 1)
		IfNotBlocked
		reached[1][684] = 1;
		spin_assert( !((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])&4)), " !((tlb[((me*2)+loaded[me])]&4))", II, tt, t);
		/* merge: assert(((tlb[((me*2)+loaded[me])]==0)||!(old_bytes[(tlb[((me*2)+loaded[me])]-1)])))(693, 685, 693) */
		reached[1][685] = 1;
		spin_assert(((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])==0)|| !(((int)now.old_bytes[ Index((((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ])), 4) ])-1), 2) ]))), "((tlb[((me*2)+loaded[me])]==0)|| !(old_bytes[(tlb[((me*2)+loaded[me])]-1)]))", II, tt, t);
		_m = 3; goto P999; /* 1 */
	case 171: // STATE 688 - hot_paths.pml:9 - [f = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][688] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 0;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 172: // STATE 689 - hot_paths.pml:9 - [((2>1))] (907:0:1 - 1)
		IfNotBlocked
		reached[1][689] = 1;
		if (!((2>1)))
			continue;
		/* merge: f = 1(0, 690, 907) */
		reached[1][690] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->f);
		((P1 *)_this)->f = 1;
#ifdef VAR_RANGES
		logval("cpu:f", ((int)((P1 *)_this)->f));
#endif
		;
		/* merge: .(goto)(0, 692, 907) */
		reached[1][692] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 173: // STATE 694 - stopping.pml:42 - [mine = next_ticket] (0:732:3 - 1)
		IfNotBlocked
		reached[1][694] = 1;
		(trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = ((int)now.next_ticket);
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: next_ticket = ((next_ticket+1)%(2+1))(732, 695, 732) */
		reached[1][695] = 1;
		(trpt+1)->bup.ovals[1] = ((int)now.next_ticket);
		now.next_ticket = ((((int)now.next_ticket)+1)%(2+1));
#ifdef VAR_RANGES
		logval("next_ticket", ((int)now.next_ticket));
#endif
		;
		/* merge: waits[me] = 1(732, 696, 732) */
		reached[1][696] = 1;
		(trpt+1)->bup.ovals[2] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: .(goto)(0, 733, 732) */
		reached[1][733] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 174: // STATE 698 - stopping.pml:44 - [((now_serving==mine))] (735:0:3 - 1)
		IfNotBlocked
		reached[1][698] = 1;
		if (!((((int)now.now_serving)==((int)((P1 *)_this)->mine))))
			continue;
		if (TstOnly) return 1; /* TT */
		/* dead 1: mine */  (trpt+1)->bup.ovals = grab_ints(3);
		(trpt+1)->bup.ovals[0] = ((P1 *)_this)->mine;
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->mine = 0;
		/* merge: waits[me] = 0(735, 699, 735) */
		reached[1][699] = 1;
		(trpt+1)->bup.ovals[1] = ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]);
		waits[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("waits[cpu:me]", ((int)waits[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		/* merge: mine = 0(735, 700, 735) */
		reached[1][700] = 1;
		(trpt+1)->bup.ovals[2] = ((int)((P1 *)_this)->mine);
		((P1 *)_this)->mine = 0;
#ifdef VAR_RANGES
		logval("cpu:mine", ((int)((P1 *)_this)->mine));
#endif
		;
		/* merge: goto :b32(735, 701, 735) */
		reached[1][701] = 1;
		;
		_m = 3; goto P999; /* 3 */
	case 175: // STATE 703 - stopping.pml:46 - [(((now_serving!=mine)&&stop))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][703] = 1;
		if (!(((((int)now.now_serving)!=((int)((P1 *)_this)->mine))&&((int)now.stop))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 176: // STATE 704 - stopping.pml:23 - [(stop)] (707:0:1 - 1)
		IfNotBlocked
		reached[1][704] = 1;
		if (!(((int)now.stop)))
			continue;
		/* merge: parked[me] = 1(0, 705, 707) */
		reached[1][705] = 1;
		(trpt+1)->bup.oval = ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.parked[ Index(((P1 *)_this)->me, 2) ] = 1;
#ifdef VAR_RANGES
		logval("parked[cpu:me]", ((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 177: // STATE 707 - stopping.pml:24 - [((!(stop)||!(parked[me])))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][707] = 1;
		if (!(( !(((int)now.stop))|| !(((int)now.parked[ Index(((int)((P1 *)_this)->me), 2) ])))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 178: // STATE 708 - stopping.pml:28 - [(told[me])] (722:0:1 - 1)
		IfNotBlocked
		reached[1][708] = 1;
		if (!(((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ])))
			continue;
		/* merge: told[me] = 0(0, 709, 722) */
		reached[1][709] = 1;
		(trpt+1)->bup.oval = ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]);
		now.told[ Index(((P1 *)_this)->me, 2) ] = 0;
#ifdef VAR_RANGES
		logval("told[cpu:me]", ((int)now.told[ Index(((int)((P1 *)_this)->me), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 179: // STATE 721 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][721] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_717_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_724_0: /* 2 */
S_723_0: /* 2 */
S_718_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_723_1;
S_719_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_720_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_724_0; /* ';' */
S_723_1: /* 3 */
S_721_0: /* 2 */
		/* else */;
S_722_0: /* 2 */
		goto S_725_0;	/* 'goto' */
S_723_2: /* 3 */
		Uerror("blocking sel in d_step (nr.31, near line 18)");
S_725_0: /* 2 */
		goto S_726_0;	/* 'break' */
S_726_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_731_0;
S_731_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 180: // STATE 736 - stopping.pml:52 - [stop = 1] (0:0:1 - 1)
		IfNotBlocked
		reached[1][736] = 1;
		(trpt+1)->bup.oval = ((int)now.stop);
		now.stop = 1;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 181: // STATE 737 - stopping.pml:53 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][737] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 182: // STATE 738 - stopping.pml:54 - [((n<2))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][738] = 1;
		if (!((((int)((P1 *)_this)->n)<2)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 183: // STATE 739 - stopping.pml:54 - [(((n==me)||parked[n]))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][739] = 1;
		if (!(((((int)((P1 *)_this)->n)==((int)((P1 *)_this)->me))||((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 184: // STATE 740 - stopping.pml:54 - [n = (n+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][740] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 185: // STATE 742 - stopping.pml:54 - [n = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][742] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->n);
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 186: // STATE 748 - frames.pml:147 - [((owner[f]!=0))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][748] = 1;
		if (!((((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ])!=0)))
			continue;
		_m = 3; goto P999; /* 0 */
	case 187: // STATE 763 - frames.pml:12 - [D_STEP12]
		IfNotBlocked

		reached[1][763] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_755_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_766_0: /* 2 */
S_765_0: /* 2 */
S_756_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_765_1;
S_760_0: /* 2 */
S_757_0: /* 2 */
		if (!((((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_760_1;
S_758_0: /* 2 */
		now.presented[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("presented[cpu:n]", ((int)now.presented[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_761_0;
S_760_1: /* 3 */
S_759_0: /* 2 */
		/* else */;
		goto S_761_0;
S_760_2: /* 3 */
		Uerror("blocking sel in d_step (nr.32, near line 12)");
S_761_0: /* 2 */
S_762_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_766_0; /* ';' */
S_765_1: /* 3 */
S_763_0: /* 2 */
		/* else */;
S_764_0: /* 2 */
		goto S_767_0;	/* 'goto' */
S_765_2: /* 3 */
		Uerror("blocking sel in d_step (nr.33, near line 12)");
S_767_0: /* 2 */
		goto S_768_0;	/* 'break' */
S_768_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_895_0;
S_895_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 188: // STATE 765 - frames.pml:86 - [c = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][765] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = 0;
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 189: // STATE 766 - frames.pml:88 - [(((c<2)&&(pte[c]==(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][766] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])==(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 190: // STATE 767 - frames.pml:92 - [tag[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][767] = 1;
		(trpt+1)->bup.oval = ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.tag[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("tag[cpu:c]", ((int)now.tag[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 191: // STATE 768 - frames.pml:92 - [slot[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][768] = 1;
		(trpt+1)->bup.oval = ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.slot[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("slot[cpu:c]", ((int)now.slot[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 192: // STATE 769 - stopping.pml:15 - [(!(list_lock[f]))] (773:0:1 - 1)
		IfNotBlocked
		reached[1][769] = 1;
		if (!( !(((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]))))
			continue;
		/* merge: list_lock[f] = 1(0, 770, 773) */
		reached[1][770] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 1 */
	case 193: // STATE 773 - frames.pml:94 - [pte[c] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][773] = 1;
		(trpt+1)->bup.oval = ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]);
		now.pte[ Index(((P1 *)_this)->c, 2) ] = 0;
#ifdef VAR_RANGES
		logval("pte[cpu:c]", ((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 194: // STATE 774 - stopping.pml:16 - [list_lock[f] = 0] (0:0:1 - 1)
		IfNotBlocked
		reached[1][774] = 1;
		(trpt+1)->bup.oval = ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]);
		now.list_lock[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("list_lock[cpu:f]", ((int)now.list_lock[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 195: // STATE 776 - frames.pml:94 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][776] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 196: // STATE 777 - frames.pml:95 - [(((c<2)&&(pte[c]!=(f+1))))] (0:0:0 - 1)
		IfNotBlocked
		reached[1][777] = 1;
		if (!(((((int)((P1 *)_this)->c)<2)&&(((int)now.pte[ Index(((int)((P1 *)_this)->c), 2) ])!=(((int)((P1 *)_this)->f)+1)))))
			continue;
		_m = 3; goto P999; /* 0 */
	case 197: // STATE 778 - frames.pml:95 - [c = (c+1)] (0:0:1 - 1)
		IfNotBlocked
		reached[1][778] = 1;
		(trpt+1)->bup.oval = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = (((int)((P1 *)_this)->c)+1);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 198: // STATE 784 - frames.pml:98 - [c = loaded[me]] (0:0:2 - 3)
		IfNotBlocked
		reached[1][784] = 1;
		(trpt+1)->bup.ovals = grab_ints(2);
		(trpt+1)->bup.ovals[0] = ((int)((P1 *)_this)->c);
		((P1 *)_this)->c = ((int)now.loaded[ Index(((int)((P1 *)_this)->me), 2) ]);
#ifdef VAR_RANGES
		logval("cpu:c", ((int)((P1 *)_this)->c));
#endif
		;
		if (TstOnly) return 1; /* TT */
		/* dead 2: c */  
#ifdef HAS_CODE
		if (!readtrail)
#endif
			((P1 *)_this)->c = 0;
		_m = 3; goto P999; /* 0 */
	case 199: // STATE 796 - stopping.pml:18 - [D_STEP18]
		IfNotBlocked

		reached[1][796] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_792_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_799_0: /* 2 */
S_798_0: /* 2 */
S_793_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_798_1;
S_794_0: /* 2 */
		now.tlb[ Index(((((P1 *)_this)->me*2)+((P1 *)_this)->n), 4) ] = 0;
#ifdef VAR_RANGES
		logval("tlb[((cpu:me*2)+cpu:n)]", ((int)now.tlb[ Index(((((int)((P1 *)_this)->me)*2)+((int)((P1 *)_this)->n)), 4) ]));
#endif
		;
S_795_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_799_0; /* ';' */
S_798_1: /* 3 */
S_796_0: /* 2 */
		/* else */;
S_797_0: /* 2 */
		goto S_800_0;	/* 'goto' */
S_798_2: /* 3 */
		Uerror("blocking sel in d_step (nr.34, near line 18)");
S_800_0: /* 2 */
		goto S_801_0;	/* 'break' */
S_801_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_815_0;
S_815_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 200: // STATE 808 - stopping.pml:59 - [D_STEP59]
		IfNotBlocked

		reached[1][808] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_804_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_811_0: /* 2 */
S_810_0: /* 2 */
S_805_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_810_1;
S_806_0: /* 2 */
		now.told[ Index(((P1 *)_this)->n, 2) ] = (((int)((P1 *)_this)->n)!=((int)((P1 *)_this)->me));
#ifdef VAR_RANGES
		logval("told[cpu:n]", ((int)now.told[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_807_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_811_0; /* ';' */
S_810_1: /* 3 */
S_808_0: /* 2 */
		/* else */;
S_809_0: /* 2 */
		goto S_812_0;	/* 'goto' */
S_810_2: /* 3 */
		Uerror("blocking sel in d_step (nr.35, near line 59)");
S_812_0: /* 2 */
		goto S_813_0;	/* 'break' */
S_813_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_880_0;
S_880_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 201: // STATE 873 - frames.pml:15 - [D_STEP15]
		/* default 258 */
		

		reached[1][873] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_816_0: /* 2 */
		spin_assert((((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ])!=0), "(owner[f]!=0)", II, tt, t);
S_817_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_824_0: /* 2 */
S_823_0: /* 2 */
S_818_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_823_1;
S_819_0: /* 2 */
		spin_assert((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])!=(((int)((P1 *)_this)->f)+1)), "(pte[n]!=(f+1))", II, tt, t);
S_820_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_824_0; /* ';' */
S_823_1: /* 3 */
S_821_0: /* 2 */
		/* else */;
S_822_0: /* 2 */
		goto S_826_0;	/* 'goto' */
S_823_2: /* 3 */
		Uerror("blocking sel in d_step (nr.36, near line 17)");
S_825_0: /* 2 */
		goto S_826_0;	/* 'break' */
S_826_0: /* 2 */
		now.owner[ Index(((P1 *)_this)->f, 2) ] = 0;
#ifdef VAR_RANGES
		logval("owner[cpu:f]", ((int)now.owner[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_827_0: /* 2 */
		now.dirty[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("dirty[cpu:f]", ((int)now.dirty[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_828_0: /* 2 */
		now.old_bytes[ Index(((P1 *)_this)->f, 2) ] = 1;
#ifdef VAR_RANGES
		logval("old_bytes[cpu:f]", ((int)now.old_bytes[ Index(((int)((P1 *)_this)->f), 2) ]));
#endif
		;
S_878_0: /* 2 */
S_829_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_847_0: /* 2 */
S_846_0: /* 2 */
S_830_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_846_1;
S_836_0: /* 2 */
S_834_0: /* 2 */
S_831_0: /* 2 */
		if (!((((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_834_1;
S_832_0: /* 2 */
		now.pte[ Index(((P1 *)_this)->n, 2) ] = (((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("pte[cpu:n]", ((int)now.pte[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_835_0;
S_834_1: /* 3 */
S_833_0: /* 2 */
		/* else */;
		goto S_835_0;
S_834_2: /* 3 */
		Uerror("blocking sel in d_step (nr.37, near line 4)");
S_835_0: /* 2 */
		goto S_842_0;
S_842_0: /* 2 */
S_840_0: /* 2 */
S_837_0: /* 2 */
		if (!((((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_840_1;
S_838_0: /* 2 */
		now.slot[ Index(((P1 *)_this)->n, 2) ] = (((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("slot[cpu:n]", ((int)now.slot[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_841_0;
S_840_1: /* 3 */
S_839_0: /* 2 */
		/* else */;
		goto S_841_0;
S_840_2: /* 3 */
		Uerror("blocking sel in d_step (nr.38, near line 4)");
S_841_0: /* 2 */
		goto S_843_0;
S_843_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_847_0; /* ';' */
S_846_1: /* 3 */
S_844_0: /* 2 */
		/* else */;
S_845_0: /* 2 */
		goto S_849_0;	/* 'goto' */
S_846_2: /* 3 */
		Uerror("blocking sel in d_step (nr.39, near line 6)");
S_848_0: /* 2 */
		goto S_849_0;	/* 'break' */
S_849_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_861_0: /* 2 */
S_860_0: /* 2 */
S_850_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_860_1;
S_856_0: /* 2 */
S_854_0: /* 2 */
S_851_0: /* 2 */
		if (!((((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_854_1;
S_852_0: /* 2 */
		now.word[ Index(((P1 *)_this)->n, 2) ] = (((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ])|4);
#ifdef VAR_RANGES
		logval("word[cpu:n]", ((int)now.word[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
		goto S_855_0;
S_854_1: /* 3 */
S_853_0: /* 2 */
		/* else */;
		goto S_855_0;
S_854_2: /* 3 */
		Uerror("blocking sel in d_step (nr.40, near line 4)");
S_855_0: /* 2 */
		goto S_857_0;
S_857_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_861_0; /* ';' */
S_860_1: /* 3 */
S_858_0: /* 2 */
		/* else */;
S_859_0: /* 2 */
		goto S_863_0;	/* 'goto' */
S_860_2: /* 3 */
		Uerror("blocking sel in d_step (nr.41, near line 7)");
S_862_0: /* 2 */
		goto S_863_0;	/* 'break' */
S_863_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_875_0: /* 2 */
S_874_0: /* 2 */
S_864_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<(2*2))))
			goto S_874_1;
S_870_0: /* 2 */
S_868_0: /* 2 */
S_865_0: /* 2 */
		if (!((((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])==(((int)((P1 *)_this)->f)+1))))
			goto S_868_1;
S_866_0: /* 2 */
		now.tlb[ Index(((P1 *)_this)->n, 4) ] = (((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ])|4);
#ifdef VAR_RANGES
		logval("tlb[cpu:n]", ((int)now.tlb[ Index(((int)((P1 *)_this)->n), 4) ]));
#endif
		;
		goto S_869_0;
S_868_1: /* 3 */
S_867_0: /* 2 */
		/* else */;
		goto S_869_0;
S_868_2: /* 3 */
		Uerror("blocking sel in d_step (nr.42, near line 4)");
S_869_0: /* 2 */
		goto S_871_0;
S_871_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_875_0; /* ';' */
S_874_1: /* 3 */
S_872_0: /* 2 */
		/* else */;
S_873_0: /* 2 */
		goto S_876_0;	/* 'goto' */
S_874_2: /* 3 */
		Uerror("blocking sel in d_step (nr.43, near line 8)");
S_876_0: /* 2 */
		goto S_877_0;	/* 'break' */
S_877_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_894_0;
S_894_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 202: // STATE 886 - stopping.pml:62 - [D_STEP62]
		IfNotBlocked

		reached[1][886] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_881_0: /* 2 */
		now.stop = 0;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
S_882_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_889_0: /* 2 */
S_888_0: /* 2 */
S_883_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_888_1;
S_884_0: /* 2 */
		now.parked[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("parked[cpu:n]", ((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_885_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_889_0; /* ';' */
S_888_1: /* 3 */
S_886_0: /* 2 */
		/* else */;
S_887_0: /* 2 */
		goto S_890_0;	/* 'goto' */
S_888_2: /* 3 */
		Uerror("blocking sel in d_step (nr.44, near line 65)");
S_890_0: /* 2 */
		goto S_891_0;	/* 'break' */
S_891_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_893_0;
S_893_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 203: // STATE 887 - stopping.pml:71 - [now_serving = ((now_serving+1)%(2+1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][887] = 1;
		(trpt+1)->bup.oval = ((int)now.now_serving);
		now.now_serving = ((((int)now.now_serving)+1)%(2+1));
#ifdef VAR_RANGES
		logval("now_serving", ((int)now.now_serving));
#endif
		;
		_m = 3; goto P999; /* 0 */
	case 204: // STATE 902 - stopping.pml:62 - [D_STEP62]
		IfNotBlocked

		reached[1][902] = 1;
		reached[1][t->st] = 1;
		reached[1][tt] = 1;

		if (TstOnly) return 1;

		sv_save();
		S_897_0: /* 2 */
		now.stop = 0;
#ifdef VAR_RANGES
		logval("stop", ((int)now.stop));
#endif
		;
S_898_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
S_905_0: /* 2 */
S_904_0: /* 2 */
S_899_0: /* 2 */
		if (!((((int)((P1 *)_this)->n)<2)))
			goto S_904_1;
S_900_0: /* 2 */
		now.parked[ Index(((P1 *)_this)->n, 2) ] = 0;
#ifdef VAR_RANGES
		logval("parked[cpu:n]", ((int)now.parked[ Index(((int)((P1 *)_this)->n), 2) ]));
#endif
		;
S_901_0: /* 2 */
		((P1 *)_this)->n = (((int)((P1 *)_this)->n)+1);
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_905_0; /* ';' */
S_904_1: /* 3 */
S_902_0: /* 2 */
		/* else */;
S_903_0: /* 2 */
		goto S_906_0;	/* 'goto' */
S_904_2: /* 3 */
		Uerror("blocking sel in d_step (nr.45, near line 65)");
S_906_0: /* 2 */
		goto S_907_0;	/* 'break' */
S_907_0: /* 2 */
		((P1 *)_this)->n = 0;
#ifdef VAR_RANGES
		logval("cpu:n", ((int)((P1 *)_this)->n));
#endif
		;
		goto S_909_0;
S_909_0: /* 1 */

#if defined(C_States) && (HAS_TRACK==1)
		c_update((uchar *) &(now.c_state[0]));
#endif
		_m = 3; goto P999;

	case 205: // STATE 903 - stopping.pml:71 - [now_serving = ((now_serving+1)%(2+1))] (0:0:1 - 1)
		IfNotBlocked
		reached[1][903] = 1;
		(trpt+1)->bup.oval = ((int)now.now_serving);
		now.now_serving = ((((int)now.now_serving)+1)%(2+1));
#ifdef VAR_RANGES
		logval("now_serving", ((int)now.now_serving));
#endif
		;
		_m = 3; goto P999; /* 0 */

		 /* PROC walker */
	case 206: // STATE 1 - taking.pml:51 - [(((tlb[((me*2)+loaded[me])]==0)&&(slot[loaded[me]]!=0)))] (4:0:1 - 1)
		IfNotBlocked
		reached[0][1] = 1;
		if (!(((((int)now.tlb[ Index(((((int)((P0 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P0 *)_this)->me), 2) ])), 4) ])==0)&&(((int)now.slot[ Index(((int)now.loaded[ Index(((int)((P0 *)_this)->me), 2) ]), 2) ])!=0))))
			continue;
		/* merge: tlb[((me*2)+loaded[me])] = slot[loaded[me]](0, 2, 4) */
		reached[0][2] = 1;
		(trpt+1)->bup.oval = ((int)now.tlb[ Index(((((int)((P0 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P0 *)_this)->me), 2) ])), 4) ]);
		now.tlb[ Index(((((P0 *)_this)->me*2)+now.loaded[ Index(((P0 *)_this)->me, 2) ]), 4) ] = ((int)now.slot[ Index(((int)now.loaded[ Index(((int)((P0 *)_this)->me), 2) ]), 2) ]);
#ifdef VAR_RANGES
		logval("tlb[((walker:me*2)+loaded[walker:me])]", ((int)now.tlb[ Index(((((int)((P0 *)_this)->me)*2)+((int)now.loaded[ Index(((int)((P0 *)_this)->me), 2) ])), 4) ]));
#endif
		;
		/* merge: .(goto)(0, 5, 4) */
		reached[0][5] = 1;
		;
		_m = 3; goto P999; /* 2 */
	case 207: // STATE 7 - taking.pml:53 - [-end-] (0:0:0 - 1)
		IfNotBlocked
		reached[0][7] = 1;
		if (!delproc(1, II)) continue;
		_m = 3; goto P999; /* 0 */
	case  _T5:	/* np_ */
		if (!((!(trpt->o_pm&4) && !(trpt->tau&128))))
			continue;
		/* else fall through */
	case  _T2:	/* true */
		_m = 3; goto P999;
#undef rand
	}

